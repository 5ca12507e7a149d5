from tests.unit.transcriber.decoding.decoded import decode, everything, run, texts
from tests.unit.transcriber.decoding.spans import ITEM, SECOND, window
from tests.unit.transcriber.engines import FakeEngine, aligned, heard, item_of, ramp, silence
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.decoding.fallback import FallbackDecoder
from whisper_transcriber.decoding.transcript import Suspicion
from whisper_transcriber.engine.protocol import DecodingResult


def test_speech_after_the_last_phrase_is_heard_again_as_a_window_of_its_own() -> None:
    def ends_early(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 4.0, " begin")) if start == 0 else everything(start, stop, temperature)

    engine = FakeEngine(ends_early)
    segments = decode(engine, window(0, 15, (0, 6), (7, 15)))
    assert texts(segments) == [" begin", " 4-15"]


def test_a_rest_that_is_mostly_padding_is_let_go() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 4.5, " all")))
    assert texts(decode(engine, window(0, 5))) == [" all"]
    assert len(engine.calls) == 1


def test_speech_between_two_phrases_is_heard_again() -> None:
    def skips(start: int, stop: int, temperature: float) -> DecodingResult:
        if (start, stop) == (0, 15 * SECOND):
            return heard((0.0, 4.0, " before this"), (9.0, 15.0, " and after this"))
        return everything(start, stop, temperature)

    speech = ((0.0, 4.0), (5.0, 7.5), (9.0, 15.0))
    segments = decode(FakeEngine(skips), window(0, 15, *speech))
    assert texts(segments) == [" before this", " 5-7.5", " and after this"]


def test_padding_between_two_phrases_is_let_go() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 4.0, " before this"), (4.9, 9.0, " and after")))
    assert len(decode(engine, window(0, 9))) == 2
    assert len(engine.calls) == 1


def test_a_phrase_with_fewer_words_than_were_spoken_is_heard_again() -> None:
    def skips(start: int, stop: int, temperature: float) -> DecodingResult:
        if (start, stop) == (0, 15 * SECOND):
            return heard((0.0, 4.0, " we said this"), (4.0, 15.0, " x"), tokens=(12, 3))
        return everything(start, stop, temperature)

    segments = decode(FakeEngine(skips), window(0, 15))
    assert texts(segments) == [" we said this", " 4-15"]


def test_few_words_over_a_long_pause_are_enough() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 15.0, " x"), tokens=[3]))
    assert texts(decode(engine, window(0, 15, (0.0, 1.2)))) == [" x"]
    assert len(engine.calls) == 1


def test_text_in_a_pause_is_no_text_and_what_is_said_around_it_stays() -> None:
    engine = FakeEngine(
        lambda *_: heard((0.0, 4.0, " before"), (4.1, 6.9, " number number"), (7.0, 9.0, " after"))
    )
    assert texts(decode(engine, window(0, 9, (0, 4.2), (6.8, 9)))) == [" before", " after"]
    assert len(engine.calls) == 1


def test_a_word_shorter_than_the_padding_is_spoken_all_the_same() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 0.15, " no"), (0.15, 2.0, " never that")))
    assert texts(decode(engine, window(0, 2))) == [" no", " never that"]


def test_a_short_window_keeps_what_little_was_said_in_it() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 3.0, " x"), tokens=[3]))
    assert texts(decode(engine, window(0, 3))) == [" x"]
    assert len(engine.calls) == 1


def test_what_a_segment_said_stays_if_nothing_else_is_found_where_it_skips_speech() -> None:
    def skips(start: int, stop: int, temperature: float) -> DecodingResult:
        if (start, stop) == (0, 15 * SECOND):
            return heard((0.0, 4.0, " we said this"), (4.0, 15.0, " x"), tokens=(12, 3))
        return heard()

    first, second = decode(FakeEngine(skips), window(0, 15))
    assert (first.text, first.suspect) == (" we said this", ())
    assert (second.text, second.suspect) == (" x", (Suspicion.RATE,))


class AlignedEngine(FakeEngine):
    """Without timestamps; answers by the seconds of speech that it is given."""

    aligned = True

    def answer_to(self, window: Waveform, temperature: float) -> DecodingResult:
        return self.answer(int(window[0]), len(window), temperature)


def steady(_: int, samples: int, __: float) -> DecodingResult:
    """A word every half second."""
    return aligned(*((i / 2, (i + 1) / 2, f" w{i}") for i in range(2 * samples // SECOND)))


def test_without_timestamps_pauses_are_not_heard_and_times_are_those_of_the_recording() -> None:
    found = decode(AlignedEngine(steady), window(0, 20, (1, 3), (10, 12)))
    assert [(each.start, each.end) for each in found] == [(1.0, 3.0), (10.0, 12.0)]
    assert [each.start for each in found[1].words] == [10.0, 10.5, 11.0, 11.5]


def test_speech_after_the_last_word_is_heard_again() -> None:
    def ends_early(start: int, samples: int, temperature: float) -> DecodingResult:
        first = samples == 10 * SECOND
        return aligned((0.0, 1.0, " a"), (1.0, 2.0, " b")) if first else steady(start, samples, 0)

    engine = AlignedEngine(ends_early)
    found = decode(engine, window(0, 10))
    assert (found[0].text, found[1].start, found[-1].end) == (" a b", 2.0, 10.0)
    assert len(engine.calls) == 2


def test_a_sentence_with_a_word_that_lasts_too_long_is_heard_again() -> None:
    def skips(start: int, samples: int, temperature: float) -> DecodingResult:
        if samples != 12 * SECOND:
            return steady(start, samples, temperature)
        said = [(0.0, 1.0, " One."), (1.0, 2.0, " Two"), (2.0, 6.0, " three."), (6.0, 7.0, " Four")]
        return aligned(*said, *((7.0 + i, 8.0 + i, " x") for i in range(5)))

    engine = AlignedEngine(skips)
    found = decode(engine, window(0, 12))
    assert [each.text for each in found][::2] == [" One.", " Four x x x x x"]
    assert engine.calls[1][0] == [(1 * SECOND, 6 * SECOND)]


def test_a_text_without_room_is_continued_at_its_last_sentence() -> None:
    def full(start: int, samples: int, temperature: float) -> DecodingResult:
        if samples != 8 * SECOND:
            return steady(start, samples, temperature)
        said = ((0.0, 1.0, " One."), (1.0, 2.0, " Two."), (2.0, 3.0, " And"))
        return aligned(*said, exhausted=True)

    engine = AlignedEngine(full)
    found = decode(engine, window(0, 8))
    assert [each.text for each in found][:2] == [" One.", " Two."]
    assert engine.calls[1][0] == [(2 * SECOND, 8 * SECOND)]


def test_words_that_nobody_asked_for_are_left_out() -> None:
    decoder = FallbackDecoder(
        AlignedEngine(steady), 8, item_of(ramp), item_of(silence), keeps_words=False
    )
    (segment,) = decoder.decode([window(0, 4)], {ITEM: "en"}).segments[ITEM]
    assert (segment.start, segment.end, segment.words) == (0.0, 4.0, ())


def test_text_where_nobody_speaks_is_counted() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 4.0, " before"), (4.5, 6.5, " thanks for watching")))
    result = run(engine, window(0, 7, (0, 4.2), (6.8, 7)))
    assert texts(list(result.segments[ITEM])) == [" before"]
    assert result.dropped_seconds == 2.0
