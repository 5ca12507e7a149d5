import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcriber.decoding.spans import ITEM, SECOND, window
from tests.unit.transcriber.engines import FakeEngine, aligned, heard, item_of, ramp, silence
from transcription_contract.decoding import Decoding
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import Window
from whisper_transcriber.decoding.fallback import BatchText, FallbackDecoder
from whisper_transcriber.decoding.transcript import Segment, Suspicion
from whisper_transcriber.engine.protocol import DecodingResult

LOOP = " la la la la la la la la la la la la la la la la"
CLEAR = " what was spoken"


def run(engine: FakeEngine, *windows: Window, language: str = "en", **options: object) -> BatchText:
    decoder = FallbackDecoder(
        engine, 8, item_of(ramp), item_of(silence), Decoding.model_validate(options)
    )
    return decoder.decode(windows, {ITEM: language})


def decode(engine: FakeEngine, *windows: Window, **options: object) -> list[Segment]:
    return list(run(engine, *windows, **options).segments[ITEM])


def everything(start: int, stop: int, _: float) -> DecodingResult:
    return heard((0.0, (stop - start) / SECOND, f" {start / SECOND:g}-{stop / SECOND:g}"))


def texts(segments: list[Segment]) -> list[str]:
    return [segment.text for segment in segments]


def test_a_unit_is_decoded_as_one_batch_when_all_is_well() -> None:
    engine = FakeEngine(everything)
    segments = decode(engine, window(1, 5), window(10, 20))
    assert texts(segments) == [" 1-5", " 10-20"]
    assert [(segment.start, segment.end) for segment in segments] == [(1.0, 5.0), (10.0, 20.0)]
    assert len(engine.calls) == 1


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


def test_at_most_three_rounds_follow_the_first() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 1.0, " bit")))
    segments = decode(engine, window(0, 15))
    assert [segment.start for segment in segments] == [0.0, 1.0, 2.0, 3.0]


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


def test_a_long_window_of_which_nothing_was_heard_is_cut_in_two() -> None:
    def deaf_when_long(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard() if stop - start > 10 * SECOND else everything(start, stop, temperature)

    segments = decode(FakeEngine(deaf_when_long), window(0, 15, (0, 7), (8, 15)))
    assert texts(segments) == [" 0-7.5", " 7.5-15"]


def test_a_short_window_of_which_nothing_was_heard_is_let_go() -> None:
    engine = FakeEngine(lambda *_: heard())
    assert decode(engine, window(0, 2)) == []
    assert len(engine.calls) == 1


def test_a_looping_window_is_cut_at_its_widest_gap() -> None:
    def loops_when_long(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start > 12 * SECOND:
            return heard((0.0, 15.0, LOOP))
        return everything(start, stop, temperature)

    engine = FakeEngine(loops_when_long)
    segments = decode(engine, window(0, 15, (0, 4), (4.5, 6), (8, 15)))
    assert texts(segments) == [" 0-7", " 7-15"]
    assert not any(segment.suspect for segment in segments)


def test_a_looping_window_without_a_gap_is_cut_in_its_middle_third() -> None:
    def loops_when_long(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start > 12 * SECOND:
            return heard((0.0, 15.0, LOOP))
        return everything(start, stop, temperature)

    (first, second) = decode(FakeEngine(loops_when_long), window(0, 15))
    assert first.end == second.start
    assert 5 <= first.end <= 10


def test_an_improbable_window_is_tried_at_higher_temperatures_seeded_by_its_offset() -> None:
    def better_when_warm(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 8.0, " warm"), avg_logprob=-2.0 if temperature < 0.3 else -0.5)

    engine = FakeEngine(better_when_warm)
    (segment,) = decode(engine, window(7, 15))
    assert (segment.text, segment.suspect) == (" warm", ())
    assert [(call[1], call[2]) for call in engine.calls] == [
        (0.0, 0),
        (0.2, 7 * SECOND),
        (0.4, 7 * SECOND),
    ]


def test_temperatures_are_those_of_the_job() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, " x"), avg_logprob=-2.0))
    decode(engine, window(0, 2), temperature=["0.1", "0.7"])
    assert [temperature for _, temperature, _ in engine.calls] == [0.1, 0.7]


def test_one_temperature_means_one_attempt() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, " x"), avg_logprob=-2.0))
    (segment,) = decode(engine, window(0, 2), temperature=["0"])
    assert (segment.text, len(engine.calls)) == (" x", 1)


def test_higher_temperatures_end_after_two_that_are_worse() -> None:
    engine = FakeEngine(
        lambda _start, _stop, warm: heard((0.0, 8.0, f" at {warm}"), avg_logprob=-1.5 - warm)
    )
    (segment,) = decode(engine, window(0, 8))
    assert (segment.text, segment.suspect) == (" at 0.0", (Suspicion.LOW_PROBABILITY,))
    assert [temperature for _, temperature, _ in engine.calls] == [0.0, 0.2, 0.4]


def test_bad_windows_of_a_batch_are_tried_again_together() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 12.0, " mumble"), avg_logprob=-1.1))
    windows = [window(12 * number, 12 * number + 12) for number in range(32)]
    result = run(engine, *windows)
    assert len(engine.calls) == 3 * 32 / 8
    assert result.suspect == 32
    assert result.dropped_seconds == 0


def test_a_window_that_loops_at_every_temperature_costs_few_calls_and_keeps_its_best_text() -> None:
    def loops(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, (stop - start) / SECOND, LOOP), avg_logprob=-0.5 - temperature)

    engine = FakeEngine(loops)
    segments = decode(engine, window(0, 12))
    assert texts(segments) == [LOOP] * 4
    assert {segment.suspect for segment in segments} == {(Suspicion.LOOP,)}
    assert {segment.temperature for segment in segments} == {0.0}
    assert len(engine.calls) == 1 + 1 + 1 + 5


@pytest.mark.parametrize(
    ("attempts", "kept"),
    [
        pytest.param([(LOOP, -0.1), (CLEAR, -3.0)], CLEAR, id="no loop before probable"),
        pytest.param([(CLEAR, -1.5), (" other", -1.2)], " other", id="the more probable"),
        pytest.param([(CLEAR, -1.5), (" other", -1.5)], CLEAR, id="the first of equals"),
        pytest.param([(" so " * 80, -1.1), (CLEAR, -3.0)], CLEAR, id="what can be said"),
    ],
)
def test_the_best_attempt_is_kept(attempts: list[tuple[str, float]], kept: str) -> None:
    def answer(_start: int, _stop: int, temperature: float) -> DecodingResult:
        text, logprob = attempts[round(temperature)]
        return heard((0.0, 2.0, text), avg_logprob=logprob)

    (segment,) = decode(FakeEngine(answer), window(0, 2), temperature=["0", "1"])
    assert segment.text == kept
    assert segment.suspect


@pytest.mark.parametrize(
    ("result", "suspicions"),
    [
        pytest.param(heard((0.0, 2.0, " x"), avg_logprob=-1.1), ["lowProbability"], id="logprob"),
        pytest.param(heard((0.0, 2.0, LOOP)), ["loop"], id="loop"),
        pytest.param(heard((0.0, 2.0, " x" * 200)), ["loop", "rate"], id="loop and rate"),
        pytest.param(heard((0.0, 2.0, " x"), tokens=[1]), ["rate"], id="hardly any text"),
        pytest.param(heard((0.0, 2.0, " x"), compression_ratio=3.0), [], id="only bytes repeat"),
        pytest.param(heard((0.0, 2.0, " x"), no_speech_prob=0.9), [], id="sure of its text"),
    ],
)
def test_a_segment_says_why_it_is_suspect(result: DecodingResult, suspicions: list[str]) -> None:
    (segment,) = decode(FakeEngine(lambda *_: result), window(0, 2))
    assert [str(each) for each in segment.suspect] == suspicions


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        pytest.param({}, 1, id="openai-whisper's defaults"),
        pytest.param({"logprobThreshold": "-0.1"}, 3, id="logprobThreshold"),
        pytest.param({"compressionRatioThreshold": "0.5"}, 6, id="compressionRatioThreshold"),
    ],
)
def test_thresholds_are_those_of_the_job(options: dict[str, object], calls: int) -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, CLEAR), avg_logprob=-0.2))
    decode(engine, window(0, 2), **options)
    assert len(engine.calls) == calls


def silent_text(*_: object) -> DecodingResult:
    return heard((0.0, 2.0, " Thank you."), avg_logprob=-1.5, no_speech_prob=0.9)


def test_text_of_a_short_window_that_whisper_takes_for_silence_is_counted_and_dropped() -> None:
    engine = FakeEngine(silent_text)
    result = run(engine, window(0, 2))
    assert result.segments[ITEM] == []
    assert result.dropped_seconds == 2.0
    assert len(engine.calls) == 1


def test_where_somebody_speaks_for_long_whisper_s_silence_is_flagged_text() -> None:
    (segment,) = decode(FakeEngine(silent_text), window(0, 2.5), window(5, 15))
    assert segment.start == 5
    assert segment.suspect[:2] == (Suspicion.LOW_PROBABILITY, Suspicion.NO_SPEECH)


def test_without_a_detector_whisper_alone_says_what_is_silence() -> None:
    result = run(FakeEngine(silent_text), window(0, 15), vad={"enabled": False})
    assert result.segments[ITEM] == []
    assert result.dropped_seconds == 2.0


def test_the_silence_threshold_is_the_job_s() -> None:
    (segment,) = decode(FakeEngine(silent_text), window(0, 2), noSpeechThreshold="0.95")
    assert segment.text == " Thank you."


def test_suspect_text_is_left_out_and_counted_if_the_job_says_so() -> None:
    def second_is_bad(start: int, stop: int, temperature: float) -> DecodingResult:
        figures = {"avg_logprob": -2.0} if start else {}
        return heard((0.0, (stop - start) / SECOND, f" {start}"), **figures)

    engine = FakeEngine(second_is_bad)
    result = run(engine, window(0, 2), window(3, 6), suspectText="drop")
    assert texts(list(result.segments[ITEM])) == [" 0"]
    assert (result.suspect, result.dropped_seconds) == (0, 3.0)


def test_a_text_that_ran_out_of_room_keeps_its_closed_segments_and_is_continued() -> None:
    def full_after_four_seconds(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start <= 4 * SECOND:
            return everything(start, stop, temperature)
        name = f" {start / SECOND:g}"
        return heard((0.0, 4.0, name), (4.0, None, " unfinish"), exhausted=True)

    engine = FakeEngine(full_after_four_seconds)
    segments = decode(engine, window(0, 30))
    assert texts(segments) == [*(f" {start}" for start in range(0, 28, 4)), " 28-30"]
    assert len(engine.calls) == 8


def test_a_text_that_ran_out_of_room_at_once_is_cut_in_two() -> None:
    def no_room(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start <= 8 * SECOND:
            return everything(start, stop, temperature)
        return heard((0.0, None, " one two"), exhausted=True)

    assert texts(decode(FakeEngine(no_room), window(0, 15, (0, 7), (8, 15)))) == [
        " 0-7.5",
        " 7.5-15",
    ]


def test_a_loop_that_ran_out_of_room_is_not_continued() -> None:
    def loops(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start <= 8 * SECOND:
            return everything(start, stop, temperature)
        return heard((0.0, 4.0, " It is the end of"), (4.0, None, " of of"), exhausted=True)

    assert texts(decode(FakeEngine(loops), window(0, 15, (0, 7), (8, 15)))) == [" 0-7.5", " 7.5-15"]


def test_what_a_window_said_stays_if_its_halves_say_nothing() -> None:
    def deaf_when_short(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 15.0, LOOP)) if stop - start > 12 * SECOND else heard()

    (segment,) = decode(FakeEngine(deaf_when_short), window(0, 15))
    assert (segment.text, segment.suspect) == (LOOP, (Suspicion.LOOP,))


def test_what_a_segment_said_stays_if_nothing_else_is_found_where_it_skips_speech() -> None:
    def skips(start: int, stop: int, temperature: float) -> DecodingResult:
        if (start, stop) == (0, 15 * SECOND):
            return heard((0.0, 4.0, " we said this"), (4.0, 15.0, " x"), tokens=(12, 3))
        return heard()

    first, second = decode(FakeEngine(skips), window(0, 15))
    assert (first.text, first.suspect) == (" we said this", ())
    assert (second.text, second.suspect) == (" x", (Suspicion.RATE,))


def test_windows_are_cut_to_the_language_before_they_are_decoded() -> None:
    engine = FakeEngine(everything)
    run(engine, window(0, 15, (0, 4), (4.5, 8), (8.5, 15)), language="ta")
    assert [stretches for stretches, _, _ in engine.calls] == [
        [(0, 8 * SECOND), (round(8.5 * SECOND), 15 * SECOND)]
    ]


def test_a_translation_is_english_whatever_is_spoken() -> None:
    engine = FakeEngine(everything)
    decoder = FallbackDecoder(engine, 8, item_of(ramp), item_of(silence), translates=True)
    decoder.decode([window(0, 15)], {ITEM: "ta"})
    assert [stretches for stretches, _, _ in engine.calls] == [[(0, 15 * SECOND)]]


def test_later_rounds_keep_to_the_batch_size() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 1.0, " x")))
    decoder = FallbackDecoder(engine, 2, item_of(ramp), item_of(silence))
    decoder.decode([window(0, 15), window(15, 30), window(30, 45)], {ITEM: "en"})
    assert all(len(windows) <= 2 for windows, _, _ in engine.calls)


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


RESULTS = st.builds(
    lambda ends, text, figures, exhausted: heard(
        *((0.0 if not number else ends[number - 1], end, f" {text}{number}")
          for number, end in enumerate(ends)),
        exhausted=exhausted,
        **figures,
    ),
    ends=st.lists(st.floats(0.0, 30.0), min_size=0, max_size=4).map(sorted),
    text=st.sampled_from(["x", "several words", LOOP.strip(), "of of of "]),
    figures=st.fixed_dictionaries(
        {"avg_logprob": st.floats(-3.0, 0.0), "no_speech_prob": st.floats(0.0, 1.0)}
    ),
    exhausted=st.booleans(),
)  # fmt: skip


@given(results=st.lists(RESULTS, min_size=1, max_size=6))
def test_whatever_the_model_says_decoding_ends_and_stays_inside_the_windows(
    results: list[DecodingResult],
) -> None:
    def answer(start: int, stop: int, temperature: float) -> DecodingResult:
        return results[(start + stop + round(10 * temperature)) % len(results)]

    engine = FakeEngine(answer)
    segments = decode(engine, window(2, 17, (2, 8), (9, 17)), window(20, 35))
    assert sum(len(windows) for windows, _, _ in engine.calls) < 200
    for segment in segments:
        assert 2 <= segment.start <= segment.end <= 35


@given(result=RESULTS)
def test_no_text_is_lost(result: DecodingResult) -> None:
    """The model says something of the whole window, and nothing of any part: all of it is kept, or
    all of it is silence and counted."""

    def answer(start: int, stop: int, temperature: float) -> DecodingResult:
        return result if (start, stop) == (0, 15 * SECOND) else heard()

    text = run(FakeEngine(answer), window(0, 15))
    begun = sorted(phrase.text for phrase in result.phrases if phrase.start < 15)
    assert sorted(texts(list(text.segments[ITEM]))) == begun


def test_text_where_nobody_speaks_is_counted() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 4.0, " before"), (4.5, 6.5, " thanks for watching")))
    result = run(engine, window(0, 7, (0, 4.2), (6.8, 7)))
    assert texts(list(result.segments[ITEM])) == [" before"]
    assert result.dropped_seconds == 2.0
