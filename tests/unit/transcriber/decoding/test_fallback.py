from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcriber.decoding.decoded import LOOP, decode, everything, run, texts
from tests.unit.transcriber.decoding.spans import ITEM, SECOND, window
from tests.unit.transcriber.engines import FakeEngine, heard, item_of, ramp, silence
from whisper_transcriber.decoding.fallback import FallbackDecoder
from whisper_transcriber.decoding.transcript import Suspicion
from whisper_transcriber.engine.protocol import DecodingResult


def test_a_unit_is_decoded_as_one_batch_when_all_is_well() -> None:
    engine = FakeEngine(everything)
    segments = decode(engine, window(1, 5), window(10, 20))
    assert texts(segments) == [" 1-5", " 10-20"]
    assert [(segment.start, segment.end) for segment in segments] == [(1.0, 5.0), (10.0, 20.0)]
    assert len(engine.calls) == 1


def test_at_most_three_rounds_follow_the_first() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 1.0, " bit")))
    segments = decode(engine, window(0, 15))
    assert [segment.start for segment in segments] == [0.0, 1.0, 2.0, 3.0]


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


def test_bad_windows_of_a_batch_are_tried_again_together() -> None:
    engine = FakeEngine(lambda *_: heard((0.0, 12.0, " mumble"), avg_logprob=-1.1))
    windows = [window(12 * number, 12 * number + 12) for number in range(32)]
    result = run(engine, *windows)
    assert len(engine.calls) == 3 * 32 / 8
    assert result.suspect == 32
    assert result.dropped_seconds == 0


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
