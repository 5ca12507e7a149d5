"""Workers' metrics -> progress. Pure: cluster.py reads them."""

import math
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.parser import text_string_to_metric_families

from transcription_contract import metric_names
from transcription_operator.api.status import Progress

_MIN_SPAN_SECONDS = 1.0
"""Two readings closer than this say nothing about speed."""


@dataclass(frozen=True)
class Reading:
    """What the workers of one job said at one moment, in seconds of audio."""

    at: datetime
    processed: float
    total: float


def parse(text: str) -> dict[str, float]:
    """Prometheus text -> the job gauges; what is not ours, or no number, is skipped.

    Text that is not Prometheus' gives nothing: losing progress never fails a job.
    """
    wanted = {metric_names.PROCESSED_SECONDS, metric_names.TOTAL_SECONDS}
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError:
        return {}
    return {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if sample.name in wanted and math.isfinite(sample.value)
    }


def reading_of(answers: list[dict[str, float]], at: datetime) -> Reading | None:
    """The workers' joint view: each knows the stored parts that it has seen, so the largest
    number is the truest; None while none of them knows the total."""
    total = max((a.get(metric_names.TOTAL_SECONDS, 0.0) for a in answers), default=0.0)
    if total <= 0:
        return None
    processed = max(a.get(metric_names.PROCESSED_SECONDS, 0.0) for a in answers)
    return Reading(at, min(processed, total), total)


def advance(before: Progress | None, first: Reading | None, latest: Reading) -> Progress:
    """The next progress: never backwards, 99 % at most (100 belongs to Succeeded), and the same
    as before while the percent is, so that it costs no write.

    ``first``: the oldest reading of this run of the workers; speed is measured against it, so
    that parts found from an earlier run do not count as fast work.
    """
    processed = max(int(latest.processed), before.processed_seconds if before else 0)
    total = max(int(latest.total), processed)
    percent = max(min(99, 100 * processed // total), before.percent if before else 0)
    if before and before.percent == percent and before.total_seconds == total:
        return before
    speed = _speed(first, latest)
    return Progress(
        percent=percent,
        processed_seconds=processed,
        total_seconds=total,
        estimated_remaining_seconds=round((total - processed) / speed) if speed else None,
        speed=f"{speed:.1f}x" if speed else None,
        last_update_time=latest.at,
    )


def _speed(first: Reading | None, latest: Reading) -> float | None:
    if first is None:
        return None
    span = (latest.at - first.at).total_seconds()
    done = latest.processed - first.processed
    return done / span if span >= _MIN_SPAN_SECONDS and done > 0 else None
