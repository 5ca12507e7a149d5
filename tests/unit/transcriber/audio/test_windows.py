from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from whisper_transcriber.audio.stretches import speech
from whisper_transcriber.audio.windows import (
    FRAME_SAMPLES,
    JOINED_WINDOW_LIMIT,
    OFFICIAL_WINDOW_LIMIT,
    PAUSE_LIMIT,
    SAMPLE_RATE,
    WINDOW_LIMIT,
    Span,
    Window,
    batches,
    border,
    border_search,
    quietest,
    slice_count,
    window_samples,
    windows,
)

SECOND = SAMPLE_RATE
FRAMES_PER_SECOND = SECOND / FRAME_SAMPLES

runs = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.integers(1, 1500)),
    max_size=30,
).map(lambda pieces: [value for value, count in pieces for _ in range(count)])
"""Speech probabilities that stay the same for up to 48 s, as speech and pauses do."""


def noise(start: int, stop: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """A recording that is loud everywhere, and not equally so; any stretch can be asked for."""
    positions = np.arange(start, stop)
    return ((positions * 7919) % 2003 + 1000).astype(np.int16)


def covered(stretches: list[Span]) -> int:
    return sum(span.stop - span.start for span in stretches)


@given(probabilities=runs, begin=st.integers(0, 100_000), tail=st.integers(0, FRAME_SAMPLES - 1))
def test_every_sample_of_speech_lies_in_exactly_one_window(
    probabilities: list[float], begin: int, tail: int
) -> None:
    within = Span(begin, begin + max(0, len(probabilities) * FRAME_SAMPLES - tail))
    stretches = speech(probabilities, within)
    planned = windows(0, stretches, noise)

    inside = [span for window in planned for span in window.speech]
    assert covered(inside) == covered(stretches)
    for left, right in pairwise(inside):
        assert left.stop <= right.start
    for span in inside:
        assert any(each.start <= span.start and span.stop <= each.stop for each in stretches)


@given(probabilities=runs, begin=st.integers(0, 100_000))
def test_windows_are_ordered_short_enough_and_inside_the_slice(
    probabilities: list[float], begin: int
) -> None:
    within = Span(begin, begin + len(probabilities) * FRAME_SAMPLES)
    planned = windows(0, speech(probabilities, within), noise)

    for window in planned:
        assert within.start <= window.start < window.stop <= within.stop
        assert window.stop - window.start <= WINDOW_LIMIT
        assert window.speech[0].start == window.start
        assert window.speech[-1].stop == window.stop
        pauses = [right.start - left.stop for left, right in pairwise(window.speech)]
        assert all(pause <= PAUSE_LIMIT for pause in pauses)
    for left, right in pairwise(planned):
        assert left.stop <= right.start


@given(probabilities=runs)
def test_what_the_detector_is_sure_of_is_never_left_out(probabilities: list[float]) -> None:
    within = Span(0, len(probabilities) * FRAME_SAMPLES)
    stretches = speech(probabilities, within)

    sure = [number for number, each in enumerate(probabilities) if each >= 0.5]
    long_enough = [
        number
        for number in sure
        # 0.25 s of certainty around it: what is shorter may be dropped as a click.
        if all(each >= 0.5 for each in probabilities[max(0, number - 8) : number + 9])
        and 8 <= number < len(probabilities) - 8
    ]
    for number in long_enough:
        frame = number * FRAME_SAMPLES
        assert any(each.start <= frame and frame + 1 <= each.stop for each in stretches)


def test_stretches_share_a_window_up_to_its_limit() -> None:
    stretches = [Span(0, 5 * SECOND), Span(6 * SECOND, 15 * SECOND), Span(16 * SECOND, 17 * SECOND)]
    first, second = windows(3, stretches, noise)
    assert (first.item, second.item) == (3, 3)
    assert (first.start, first.stop) == (0, 15 * SECOND)
    assert first.speech == (Span(0, 5 * SECOND), Span(6 * SECOND, 15 * SECOND))
    assert second.speech == (Span(16 * SECOND, 17 * SECOND),)


def test_pauses_that_are_left_out_count_for_nothing() -> None:
    stretches = [
        Span(0, 5 * SECOND),
        Span(60 * SECOND, 66 * SECOND),
        Span(70 * SECOND, 75 * SECOND),
    ]
    found = windows(3, stretches, noise, 15 * SECOND, joined=True)
    assert [each.speech for each in found] == [tuple(stretches[:2]), tuple(stretches[2:])]


def test_a_long_pause_lies_in_no_window() -> None:
    stretches = [Span(0, SECOND), Span(4 * SECOND, 5 * SECOND), Span(9 * SECOND, 10 * SECOND)]
    planned = windows(0, stretches, noise)
    assert [(each.start, each.stop) for each in planned] == [
        (0, 5 * SECOND),
        (9 * SECOND, 10 * SECOND),
    ]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    quiet_at = 12 * SECOND

    def read(start: int, stop: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
        samples = noise(start, stop)
        samples[max(0, quiet_at - 1600 - start) : max(0, quiet_at + 1600 - start)] = 3
        return samples

    first, second = windows(0, [Span(0, 20 * SECOND)], read)
    assert abs(first.stop - quiet_at) <= 1600
    assert second.start == first.stop


def test_the_quietest_place_is_judged_in_whole_numbers_that_do_not_overflow() -> None:
    samples = np.full(SECOND, -32768, np.int16)
    samples[8000:10400] = 0
    assert 8000 <= quietest(samples) < 10400


@given(arrays(np.int16, st.integers(0, 5000)))
def test_the_quietest_place_is_always_inside(
    samples: "np.ndarray[tuple[int], np.dtype[np.int16]]",
) -> None:
    assert 0 <= quietest(samples) <= len(samples)


@given(count=st.integers(0, 40 * SECOND), slice_samples=st.integers(6 * SECOND, 15 * SECOND))
def test_slices_follow_each_other_without_a_gap(count: int, slice_samples: int) -> None:
    numbers = range(1, slice_count(count, slice_samples))
    borders = [0, *(border(number, slice_samples, noise) for number in numbers), count]
    for left, right in pairwise(borders):
        assert 0 <= right - left <= slice_samples * 3 // 2
    assert borders == sorted(set(borders)) or count == 0


@given(slice_samples=st.integers(SECOND, 4000 * SECOND), number=st.integers(1, 50))
def test_a_border_is_looked_for_inside_the_recording_and_apart_from_the_next(
    slice_samples: int, number: int
) -> None:
    search, following = (border_search(each, slice_samples) for each in (number, number + 1))
    assert 0 < search.start < search.stop <= following.start
    assert slice_count(search.stop, slice_samples) == number + 1
    assert slice_count(search.stop - 1, slice_samples) == number


def test_the_first_slice_is_short_so_that_the_first_text_comes_soon() -> None:
    assert border_search(1, 1800 * SECOND) == Span(285 * SECOND, 315 * SECOND)
    assert border_search(2, 1800 * SECOND) == Span(2085 * SECOND, 2115 * SECOND)


def test_a_slice_border_moves_to_the_quiet_place_nearby() -> None:
    def read(start: int, stop: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
        samples = noise(start, stop)
        quiet = range(2110 * SECOND, 2111 * SECOND)
        samples[quiet.start - start : quiet.stop - start] = 0
        return samples

    assert 2110 * SECOND <= border(2, 1800 * SECOND, read) < 2111 * SECOND


@st.composite
def planned_items(draw: st.DrawFn) -> tuple[list[Window], dict[int, Span]]:
    """Windows of up to five recordings that are shared out from somewhere in them on."""
    planned: list[Window] = []
    within: dict[int, Span] = {}
    for item in range(4, 4 + draw(st.integers(1, 5))):
        begin = position = draw(st.integers(0, 1000))
        for length in draw(st.lists(st.integers(1, 15 * SECOND), max_size=10)):
            span = Span(position, position + length)
            planned.append(Window(item=item, start=span.start, stop=span.stop, speech=(span,)))
            position += length + 100
        within[item] = Span(begin, position + 500)
    return planned, within


@given(made=planned_items(), batch_size=st.integers(1, 9))
def test_units_hold_every_window_and_account_for_all_of_the_audio(
    made: tuple[list[Window], dict[int, Span]], batch_size: int
) -> None:
    planned, within = made
    found = batches(planned, within, batch_size)

    assert [window for batch in found for window in batch.windows] == planned
    assert all(len(batch.windows) <= batch_size for batch in found)
    assert all(batch.samples > 0 for batch in found)
    assert sum(batch.samples for batch in found) == covered(list(within.values()))


def test_a_slice_in_which_nobody_speaks_is_one_empty_unit() -> None:
    (batch,) = batches([], {0: Span(5, 50)}, 8)
    assert (batch.samples, batch.windows) == (45, ())


@pytest.mark.parametrize(
    ("seconds", "official", "joined", "samples"),
    [
        pytest.param(None, False, False, WINDOW_LIMIT, id="of an own checkpoint"),
        pytest.param(None, False, True, WINDOW_LIMIT, id="of an own checkpoint, without pauses"),
        pytest.param(None, True, False, OFFICIAL_WINDOW_LIMIT, id="of an official model"),
        pytest.param(None, True, True, JOINED_WINDOW_LIMIT, id="of one, without pauses"),
        pytest.param(20, True, True, 320_000, id="as the job asks for"),
    ],
)
def test_the_longest_window_is_the_jobs_or_the_models(
    seconds: int | None, official: bool, joined: bool, samples: int
) -> None:
    assert window_samples(seconds, official=official, joined=joined) == samples
