"""Workers' metrics -> progress. Pure: cluster.py reads them."""

import math
from dataclasses import dataclass
from datetime import datetime

from transcription_api.status import Progress
from transcription_contract import metric_names

_MIN_SPAN_SECONDS = 1.0
"""Two readings closer than this say nothing about speed."""

_LARGEST = 2.0**53
"""Beyond it a number is no count of anything, and not even one that the API server takes."""

_LONGEST_NUMBER = 40

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
    """What the workers of one job said at one moment: seconds of audio, and recordings."""

    at: datetime
    processed: float
    total: float
    items: int = 0
    items_done: int = 0
    items_failed: int = 0


def parse(text: str) -> dict[str, float]:
    """Prometheus text -> the job gauges; what is not ours, or no number, is skipped.

    Ours have no labels, so that a line is a name and a number: a parser of the whole format is not
    needed, and text from pods that anybody may have made could keep one busy for long.
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
    """The workers' joint view: each knows the stored parts that it has seen, so the largest
    number is the truest; None while none of them knows the total."""
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
    """Whether the workers have come further: audio has arrived, is done, or is delivered."""
    return (
        latest.processed > since.processed
        or latest.total > since.total
        or latest.items_done > since.items_done
    )


def advance(before: Progress | None, first: Reading | None, latest: Reading) -> Progress:
    """The next progress: never backwards, 99 % at most (100 belongs to Succeeded).

    It is the same as before, and so costs no write, until the percent changes, the recordings
    become known, or the first of them fails.

    ``first``: the oldest reading of this run of the workers; speed is measured against it, so
    that parts found from an earlier run do not count as fast work.
    """
    past = before or Progress()
    processed = max(int(latest.processed), past.processed_seconds)
    total = max(int(latest.total), processed, 1)
    speed = _speed(first, latest)
    after = Progress(
        percent=max(min(99, 100 * processed // total), past.percent),
        processed_seconds=processed,
        total_seconds=total,
        items=max(latest.items, past.items),
        items_done=max(latest.items_done, past.items_done),
        items_failed=max(latest.items_failed, past.items_failed),
        estimated_remaining_seconds=_remaining(total - processed, speed),
        speed=f"{speed:.1f}x" if speed else None,
        last_update_time=latest.at,
    )
    return before if before and _headline(before) == _headline(after) else after


def _remaining(seconds: int, speed: float | None) -> int | None:
    left = seconds / speed if speed else math.inf
    return round(left) if left < _LARGEST else None


def _headline(progress: Progress) -> tuple[object, ...]:
    known = progress.total_seconds > 0
    return known, progress.percent, progress.items, progress.items_failed > 0


def _speed(first: Reading | None, latest: Reading) -> float | None:
    if first is None:
        return None
    span = (latest.at - first.at).total_seconds()
    done = latest.processed - first.processed
    return done / span if span >= _MIN_SPAN_SECONDS and done > 0 else None
