from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.transcript import Segment, join, text


def segment(start: float, end: float, words: str = " word") -> Segment:
    return Segment(
        seek=0,
        start=start,
        end=end,
        text=words,
        tokens=(),
        temperature=0.0,
        avg_logprob=-0.1,
        compression_ratio=1.0,
        no_speech_prob=0.0,
    )


times = st.floats(-5.0, 100.0)


@given(pairs=st.lists(st.tuples(times, times), max_size=30), duration=st.floats(0.0, 90.0))
def test_times_never_go_back_overlap_or_leave_the_recording(
    pairs: list[tuple[float, float]], duration: float
) -> None:
    joined = join([segment(*pair) for pair in pairs], duration)

    assert len(joined) == len(pairs)
    for each in joined:
        assert 0 <= each.start <= each.end <= duration + 0.0005
    for left, right in pairwise(joined):
        assert left.end <= right.start


@pytest.mark.parametrize(
    ("given_pairs", "expected"),
    [
        pytest.param([(4.0, 5.0), (1.0, 2.0)], [(1.0, 2.0), (4.0, 5.0)], id="in order of time"),
        pytest.param([(1.0, 3.0), (2.0, 4.0)], [(1.0, 2.0), (2.0, 4.0)], id="an overlap is cut"),
        pytest.param([(1.0, 11.0)], [(1.0, 10.0)], id="nothing ends after the audio"),
        pytest.param([(0.1 + 0.2, 0.7)], [(0.3, 0.7)], id="milliseconds"),
    ],
)
def test_segments_are_joined(
    given_pairs: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    joined = join([segment(*pair) for pair in given_pairs], 10.0)
    assert [(each.start, each.end) for each in joined] == expected


def test_segments_without_text_are_dropped() -> None:
    assert join([segment(0, 1, "  ")], 10.0) == []


def test_the_text_is_that_of_all_segments() -> None:
    assert text([segment(0, 1, " good"), segment(1, 2, " day")]) == " good day"
