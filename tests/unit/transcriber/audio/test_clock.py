"""Timestamps beside samples: blocks of 100 ms, and what their times say."""

import pytest

from whisper_transcriber.audio.clock import Clock
from whisper_transcriber.audio.windows import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10
LIMIT = 3600 * SAMPLE_RATE


def lay(clock: Clock, milliseconds: list[int], position: int = 0) -> list[int]:
    """Where blocks of 100 ms with these timestamps come to lie, in ms."""
    places = []
    for each in milliseconds:
        extra = clock.place(each, BLOCK, position)
        position += max(extra, 0)
        places.append(position * 1000 // SAMPLE_RATE)
        position += BLOCK + min(extra, 0)
    return places


def clock(limit: int = LIMIT, *, errors: int = 0, has_zero: bool = True) -> Clock:
    return Clock(0, limit, lambda: errors, has_zero=has_zero)


@pytest.mark.parametrize(
    ("milliseconds", "places"),
    [
        ([0, 100, 200], [0, 100, 200]),
        ([0, 130, 180, 330], [0, 100, 200, 300]),
        ([21, 121, 221], [0, 100, 200]),
        ([5000, 5100], [5000, 5100]),
        ([0, 100, 25_000, 25_100], [0, 100, 25_000, 25_100]),
        ([0, 100, 100, 100, 200, 300], [0, 100, 200, 300, 400, 500]),
        ([0, 100, 100, 5200, 5300], [0, 100, 200, 300, 400]),
    ],
    ids=["plain", "jitter", "priming", "late", "gap", "glued", "glued, then ahead"],
)
def test_a_block_lies_where_its_timestamp_says(milliseconds: list[int], places: list[int]) -> None:
    assert lay(clock(), milliseconds) == places


def test_a_bare_stream_begins_with_its_first_sound() -> None:
    assert lay(clock(has_zero=False), [500, 600]) == [0, 100]


def test_a_jump_beyond_the_limit_is_a_broken_clock() -> None:
    made = clock(limit=10 * SAMPLE_RATE)
    assert lay(made, [0, 100, 10**9, 10**9 + 100]) == [0, 100, 200, 300]
    assert [each.kind for each in made.warnings()] == ["clockReset"]


@pytest.mark.parametrize(("errors", "kind"), [(0, "gap"), (3, "damage")])
def test_a_gap_is_told_with_its_place_and_cause(errors: int, kind: str) -> None:
    made = clock(errors=errors)
    lay(made, [0, 100, 25_000])
    (warning,) = made.warnings()
    assert (warning.kind, warning.start, warning.seconds) == (kind, 0.2, 24.8)
    assert "24.8 s" in warning.message


def test_a_clock_that_is_fast_is_followed_and_told_as_drift() -> None:
    made = clock()
    places = lay(made, [each * 105 for each in range(200)])
    assert abs(places[-1] - 199 * 105) <= 100
    (warning,) = made.warnings()
    assert warning.kind == "drift"


def test_a_clock_that_is_slow_is_followed_too() -> None:
    made = clock()
    places = lay(made, [each * 95 for each in range(200)])
    assert abs(places[-1] - 199 * 95) <= 100
    assert [each.kind for each in made.warnings()] == ["drift"]


def test_no_clock_takes_away_half_of_the_sound() -> None:
    made = clock()
    places = lay(made, [each * 50 for each in range(400)])
    assert places[-1] > 0.85 * 400 * 100


def test_many_gaps_are_one_warning() -> None:
    made = clock()
    lay(made, [each * 1000 for each in range(40)])
    (warning,) = made.warnings()
    assert "39 places" in warning.message
