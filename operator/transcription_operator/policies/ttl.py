"""spec.ttlSecondsAfterFinished: the TranscriptionJob is deleted, its transcripts stay."""

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


def wait(owner: TranscriptionJob, now: datetime) -> float | None:
    """Seconds until a finished job is to be deleted; None for never."""
    end = expires(owner)
    return (end - now).total_seconds() if end else None
