"""What is deleted some time after the end: the TranscriptionJob (spec.ttlSecondsAfterFinished, or
the settings), and its Kubernetes Job with the pods (the settings). The transcripts stay.

The Job has no ttlSecondsAfterFinished: it must outlive the write of the final status, which is read
from its pods, and the API server knows no such order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observation import Observation

_AGAIN_SECONDS = 15.0
"""The Job was deleted, and no watch has reported that."""


@dataclass(frozen=True)
class Retention:
    """What the settings say, in seconds after the end; None for never.

    ``owner``: of TranscriptionJobs that do not say. ``child``: of the Kubernetes Jobs.
    """

    owner: int | None = None
    child: int | None = None


FOREVER = Retention()


def expires(owner: TranscriptionJob, retention: Retention) -> datetime | None:
    """When a finished job is to be deleted; None for never."""
    stated = owner.spec.ttl_seconds_after_finished
    return _after_the_end(owner, retention.owner if stated is None else stated)


def is_over(owner: TranscriptionJob, now: datetime, retention: Retention) -> bool:
    """Whether a finished job is to be deleted now."""
    end = expires(owner, retention)
    return end is not None and now >= end


def is_over_for_child(owner: TranscriptionJob, now: datetime, retention: Retention) -> bool:
    """Whether a finished job's Kubernetes Job is to be deleted now."""
    end = _after_the_end(owner, retention.child)
    return end is not None and now >= end


def waits(
    owner: TranscriptionJob, seen: Observation, now: datetime, retention: Retention
) -> Iterator[float]:
    """Seconds until each of both is to be deleted, if it ever is."""
    if end := expires(owner, retention):
        yield (end - now).total_seconds()
    if seen.job and (end := _after_the_end(owner, retention.child)):
        left = (end - now).total_seconds()
        yield left if left > 0 else _AGAIN_SECONDS


def _after_the_end(owner: TranscriptionJob, seconds: int | None) -> datetime | None:
    ended = owner.status.completion_time
    return ended + timedelta(seconds=seconds) if seconds is not None and ended else None
