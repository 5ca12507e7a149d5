"""spec.ttlSecondsAfterFinished: the TranscriptionJob is deleted, its transcripts stay."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from transcription_api.transcriptionjob import TranscriptionJob


def expires(owner: TranscriptionJob) -> datetime | None:
    """When a finished job is to be deleted; None for never."""
    ttl, ended = owner.spec.ttl_seconds_after_finished, owner.status.completion_time
    return ended + timedelta(seconds=ttl) if ttl is not None and ended else None


def is_over(owner: TranscriptionJob, now: datetime) -> bool:
    """Whether a finished job is to be deleted now."""
    end = expires(owner)
    return end is not None and now >= end


def waits(owner: TranscriptionJob, now: datetime) -> Iterator[float]:
    """Seconds until a finished job is to be deleted, if it ever is."""
    if end := expires(owner):
        yield (end - now).total_seconds()
