import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcriber.engines import FakeEngine, heard, item_of, ramp, silence
from whisper_transcriber.audio.windows import SAMPLE_RATE, Span, Window
from whisper_transcriber.decoding.fallback import FallbackDecoder, missed_speech, segments_of
from whisper_transcriber.decoding.transcript import Segment
from whisper_transcriber.engine.protocol import DecodingResult

SECOND = SAMPLE_RATE
ITEM = 7


def window(start: float, stop: float, *speech: tuple[float, float]) -> Window:
    """Times in seconds; all of it is speech unless said otherwise."""
    spans = speech or ((start, stop),)
    return Window(
        item=ITEM,
        start=round(start * SECOND),
        stop=round(stop * SECOND),
        speech=tuple(Span(round(a * SECOND), round(b * SECOND)) for a, b in spans),
    )


def decode(engine: FakeEngine, *windows: Window, batch_size: int = 8) -> list[Segment]:
    decoder = FallbackDecoder(engine, batch_size, item_of(ramp), item_of(silence))
    return decoder.decode(windows, {ITEM: "en"})[ITEM]


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


def test_a_looping_window_is_cut_at_its_widest_gap() -> None:
    def loops_when_long(start: int, stop: int, temperature: float) -> DecodingResult:
        if stop - start > 12 * SECOND:
            return heard((0.0, 1.0, " la la la"), compression_ratio=3.0)
        return everything(start, stop, temperature)

    engine = FakeEngine(loops_when_long)
    segments = decode(engine, window(0, 15, (0, 4), (4.5, 6), (8, 15)))
    assert texts(segments) == [" 0-7", " 7-15"]


def test_a_looping_window_without_a_gap_is_cut_in_its_middle_third() -> None:
    def loops_when_long(start: int, stop: int, temperature: float) -> DecodingResult:
        return (
            heard((0.0, 1.0, " la"), exhausted=True)
            if stop - start > 12 * SECOND
            else everything(start, stop, temperature)
        )

    engine = FakeEngine(loops_when_long)
    (first, second) = decode(engine, window(0, 15))
    assert first.end == second.start
    assert 5 <= first.end <= 10


def test_only_a_short_window_goes_up_the_temperatures_seeded_by_its_offset() -> None:
    def better_when_warm(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 2.0, " warm"), avg_logprob=-2.0 if temperature < 0.5 else -0.5)

    engine = FakeEngine(better_when_warm)
    assert texts(decode(engine, window(7, 9))) == [" warm"]
    assert [(call[1], call[2]) for call in engine.calls] == [
        (0.0, 0),
        (0.2, 7 * SECOND),
        (0.4, 7 * SECOND),
        (0.6, 7 * SECOND),
    ]


def test_a_window_that_stays_garbled_has_no_text() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 2.0, " mumble"), avg_logprob=-2.0))
    assert decode(engine, window(0, 2)) == []


def test_a_long_window_that_is_garbled_in_the_last_round_goes_up_the_temperatures_too() -> None:
    def clear_when_warm(start: int, stop: int, temperature: float) -> DecodingResult:
        return heard((0.0, 4.0, " warm"), exhausted=temperature < 0.5)

    engine = FakeEngine(clear_when_warm)
    segments = decode(engine, window(0, 60))
    assert len(segments) == 8
    assert {segment.text for segment in segments} == {" warm"}


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


def test_text_that_the_model_itself_takes_for_silence_is_dropped() -> None:
    engine = FakeEngine(
        lambda *_: heard((0.0, 2.0, " Thank you."), avg_logprob=-1.5, no_speech_prob=0.9)
    )
    assert decode(engine, window(0, 15)) == []
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


def test_later_rounds_keep_to_the_batch_size() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 1.0, " x")))
    decode(engine, window(0, 15), window(15, 30), window(30, 45), batch_size=2)
    assert all(len(windows) <= 2 for windows, _, _ in engine.calls)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        pytest.param((1.0, 2.0), [(11.0, 12.0)], id="inside"),
        pytest.param((1.0, 9.0), [(11.0, 15.0)], id="ends with the window"),
        pytest.param((1.0, None), [(11.0, 15.0)], id="never closed"),
        pytest.param((5.0, 6.0), [], id="begins after the window"),
    ],
)
def test_phrases_stay_inside_their_window(
    phrase: tuple[float, float | None], expected: list[tuple[float, float]]
) -> None:
    found = segments_of(window(10, 15), heard((*phrase, " x")))
    assert [(each.start, each.end) for each in found] == expected


def test_a_segment_tells_where_its_window_began_in_frames_of_10_ms() -> None:
    (found,) = segments_of(window(10, 15), heard((1.0, 2.0, " x")))
    assert found.seek == 1000


def test_missed_speech_begins_where_somebody_speaks_again() -> None:
    (segment,) = segments_of(window(0, 15), heard((0.0, 4.0, " x")))
    missed = missed_speech(window(0, 15, (0, 4), (9, 15)), [segment])
    assert missed == [window(9, 15)]


@given(
    ends=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=4),
    ratio=st.floats(0.5, 4.0),
    logprob=st.floats(-3.0, 0.0),
    silent=st.floats(0.0, 1.0),
)
def test_whatever_the_model_says_decoding_ends_and_stays_inside_the_windows(
    ends: list[float], ratio: float, logprob: float, silent: float
) -> None:
    def answer(start: int, stop: int, temperature: float) -> DecodingResult:
        end = ends[start % len(ends)]
        return heard(
            (0.0, end, " x"),
            compression_ratio=ratio,
            avg_logprob=logprob,
            no_speech_prob=silent,
        )

    engine = FakeEngine(answer)
    segments = decode(engine, window(2, 17, (2, 8), (9, 17)), window(20, 35))
    assert len(engine.calls) < 100
    for segment in segments:
        assert 2 <= segment.start <= segment.end <= 35
