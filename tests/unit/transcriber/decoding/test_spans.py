from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.decoding.spans import SHORTEST, Span, spaced


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([(0, 2000), (2500, 3000)], [(0, 2000), (2500, 3000)], id="good ones stay"),
        pytest.param([(0, 2000), (1500, 3000)], [(0, 1500), (1500, 3000)], id="an overlap is cut"),
        pytest.param([(0, 1000), (2000, 2000), (4000, 5000)],
                     [(0, 1000), (2000, 2500), (4000, 5000)], id="no length: into the pause"),
        pytest.param([(2000, 2000), (2100, 3000)], [(2000, 2100), (2100, 3000)],
                     id="no length: as far as the pause goes"),
        pytest.param([(2000, 2000), (2000, 3000)], [(2000, 2020), (2020, 3000)],
                     id="no length and no pause: the next one is pushed on"),
        pytest.param([(8000, 10000), (10000, 10000)], [(8000, 9980), (9980, 10000)],
                     id="no length at the end: the one before gives way"),
        pytest.param([(9000, 12000), (13000, 14000)], [(9000, 9980), (9980, 10000)],
                     id="after the end"),
        pytest.param([], [], id="none"),
    ],
)  # fmt: skip
def test_spans_are_spaced(spans: list[Span], expected: list[Span]) -> None:
    assert spaced(spans, 10_000) == expected


moments = st.integers(-100, 12_000)


@given(spans=st.lists(st.tuples(moments, moments), max_size=40).map(sorted),
       last=st.integers(0, 10_000))  # fmt: skip
def test_every_span_has_a_length_and_none_overlaps_or_ends_after_the_recording(
    spans: list[Span], last: int
) -> None:
    found = spaced(spans, last)
    assert len(found) == len(spans)
    assert all(0 <= start <= end <= last for start, end in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    if last >= SHORTEST * len(spans):
        assert all(end - start >= SHORTEST for start, end in found)
    assert spaced(found, last) == found
