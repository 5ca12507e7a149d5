"""Workers' metrics -> progress. Pure: runtime/scraper.py reads them."""

import math
from dataclasses import dataclass, replace
from datetime import datetime

from transcription_api.progress import Progress
from transcription_contract import metric_names

_MIN_SPAN_SECONDS = 1.0
"""Two readings closer than this say nothing about speed."""

_LARGEST = 2.0**53
"""Beyond it a number is no count of anything, and not even one that the API server takes."""

_LONGEST_NUMBER = 40

_REFRESH_SECONDS = 60.0
"""The shortest time between two writes that report no work done, but another estimate."""

_STALE_SECONDS = 600.0
"""The longest time for which the numbers of a job that makes progress stay the same."""

_REMAINING_TOLERANCE = 0.1
"""Share of itself by which the shown remaining time may be wrong."""

_PERCENT_TOLERANCE = 1
"""Points by which the shown percent may be too large: estimates tremble."""

_GAUGES = frozenset(
    {
        metric_names.PROCESSED_SECONDS,
        metric_names.TOTAL_SECONDS,
        metric_names.ITEMS,
        metric_names.ITEMS_DONE,
        metric_names.ITEMS_FAILED,
    }
)


@dataclass(frozen=True)
class Reading:
    """The progress of one job at one moment: seconds of audio, and numbers of recordings."""

    at: datetime
    processed: float
    total: float
    items: int = 0
    items_done: int = 0
    items_failed: int = 0


def parse(text: str) -> dict[str, float]:
    """Prometheus text -> the job's gauges; other lines, and values that are no number, are skipped.

    The gauges have no labels, so a line is a name and a number. A parser of the whole format is not
    needed, and text from pods that anyone may have created could keep one busy for long.
    """
    found = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        if name not in _GAUGES or len(number) > _LONGEST_NUMBER:
            continue
        try:
            value = float(number)
        except ValueError:
            continue
        if 0 <= value < _LARGEST:
            found[name] = value
    return found


def reading_of(answers: list[dict[str, float]], at: datetime) -> Reading | None:
    """The workers' joint view, or None while none of them knows the total.

    Each worker counts the stored parts that it has seen, so the largest number is the best one.
    """
    most = {name: max((a.get(name, 0.0) for a in answers), default=0.0) for name in _GAUGES}
    total, items = most[metric_names.TOTAL_SECONDS], int(most[metric_names.ITEMS])
    if total <= 0:
        return None
    done = min(int(most[metric_names.ITEMS_DONE]), items)
    return Reading(
        at=at,
        processed=min(most[metric_names.PROCESSED_SECONDS], total),
        total=total,
        items=items,
        items_done=done,
        items_failed=min(int(most[metric_names.ITEMS_FAILED]), done),
    )


def is_further(since: Reading, latest: Reading) -> bool:
    """Whether there is progress: more audio has arrived, is transcribed, or is delivered."""
    return (
        latest.processed > since.processed
        or latest.total > since.total
        or latest.items_done > since.items_done
    )


def furthest(before: Reading | None, latest: Reading) -> Reading:
    """The progress that any reading has shown, for is_further."""
    if before is None:
        return latest
    return replace(
        latest,
        processed=max(before.processed, latest.processed),
        total=max(before.total, latest.total),
        items_done=max(before.items_done, latest.items_done),
    )


def advance(before: Progress | None, first: Reading, latest: Reading) -> Progress:
    """The next progress; ``before`` itself, which costs no write, when that is still good enough.

    Work done never goes back. The total is an estimate that follows the workers', so the percent
    may go down; it is 99 at most (100 belongs to Succeeded).

    ``first``: the oldest reading of this run of the workers; speed is measured against it, so
    that parts found from an earlier run do not count as fast work.
    """
    past = before or Progress()
    processed = max(int(latest.processed), past.processed_seconds)
    total = _total(past, latest, processed)
    speed = _speed(first, latest)
    after = Progress(
        percent=min(99, 100 * processed // total),
        processed_seconds=processed,
        total_seconds=total,
        items=max(latest.items, past.items),
        items_done=max(latest.items_done, past.items_done),
        items_failed=max(latest.items_failed, past.items_failed),
        estimated_remaining_seconds=_remaining(total - processed, speed),
        speed=f"{speed:.1f}x" if speed else None,
        last_update_time=latest.at,
    )
    return after if before is None or _is_news(before, after) else before


def _total(past: Progress, latest: Reading, processed: int) -> int:
    """Workers that have not found all the earlier work yet underestimate the total."""
    known = past.total_seconds if latest.processed < past.processed_seconds else 0
    return max(int(latest.total), known, processed, 1)


def _is_news(before: Progress, after: Progress) -> bool:
    """At once: another percent done, the recordings listed, the first failure. At most once a
    minute: other estimates. Every ten minutes: any progress."""
    if (
        after.percent > before.percent
        or after.items != before.items
        or (after.items_failed > 0) != (before.items_failed > 0)
        or before.total_seconds == 0
    ):
        return True
    age = _seconds_between(before, after)
    if age < _REFRESH_SECONDS:
        return False
    return (
        after.percent < before.percent - _PERCENT_TOLERANCE
        or _is_off(before.estimated_remaining_seconds, after.estimated_remaining_seconds)
        or (age >= _STALE_SECONDS and after.processed_seconds > before.processed_seconds)
    )


def _seconds_between(before: Progress, after: Progress) -> float:
    if before.last_update_time is None or after.last_update_time is None:
        return math.inf
    return (after.last_update_time - before.last_update_time).total_seconds()


def _is_off(shown: int | None, actual: int | None) -> bool:
    if shown is None or actual is None:
        # A run of new workers has no speed yet: what is shown is better than nothing.
        return actual is not None
    return abs(actual - shown) > _REMAINING_TOLERANCE * shown


def _remaining(seconds: int, speed: float | None) -> int | None:
    left = seconds / speed if speed else math.inf
    return round(left) if left < _LARGEST else None


def _speed(first: Reading, latest: Reading) -> float | None:
    span = (latest.at - first.at).total_seconds()
    done = latest.processed - first.processed
    return done / span if span >= _MIN_SPAN_SECONDS and done > 0 else None
