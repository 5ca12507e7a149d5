"""Stretches of time in whole milliseconds: in order, long enough to be seen, none over another."""

from collections.abc import Sequence
from itertools import pairwise

Span = tuple[int, int]
"""Start and end, in milliseconds."""

SHORTEST = 20
"""Players drop a cue of no length; Whisper's own grid is 20 ms."""

_VISIBLE = 500
"""A span without a length of its own takes up to this much of the pause that follows it."""


def spaced(spans: Sequence[Span], last: int) -> list[Span]:
    """Give every span a length, and move spans apart, with as little change as possible.

    A span that overlaps the next one is cut where that one starts. Spans that are left shorter
    than SHORTEST grow into the pause that follows, then push the following ones back, and at the
    end of the recording the ones before forward.

    Args:
        spans: in order of their starts.
        last: the recording's end; no span ends after it.

    Returns:
        As many spans, in the same order, at least SHORTEST long, unless the recording is too
        short for so many.
    """
    least = min(SHORTEST, last // max(1, len(spans)))
    return _pulled_back(_pushed_on(_cut(spans, last), least, last), least, last)


def _cut(spans: Sequence[Span], last: int) -> list[Span]:
    inside = [(min(max(start, 0), last), min(max(end, 0), last)) for start, end in spans]
    ends = [min(end, after[0]) for (_, end), after in pairwise(inside)]
    ends += [end for _, end in inside[-1:]]
    return [(start, max(start, end)) for (start, _), end in zip(inside, ends, strict=True)]


def _pushed_on(spans: Sequence[Span], least: int, last: int) -> list[Span]:
    found: list[Span] = []
    earliest = 0
    for number, (start, end) in enumerate(spans):
        start = max(start, earliest)
        if end - start < least:
            following = spans[number + 1][0] if number + 1 < len(spans) else last
            end = max(start + least, min(start + _VISIBLE, following))
        found.append((start, end))
        earliest = end
    return found


def _pulled_back(spans: Sequence[Span], least: int, last: int) -> list[Span]:
    found: list[Span] = []
    latest = last
    for start, end in reversed(spans):
        end = min(end, latest)
        start = min(start, end - least)
        found.append((start, end))
        latest = start
    return found[::-1]
