"""The operator's own queue: what a job wants of it, and what its status says. Pure.

A job takes a slot when it is admitted and keeps it until it ends, is suspended or is deleted. Jobs
in Kueue's queues are not counted: Kueue decides about them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from transcription_api.reading import Unreadable
from transcription_api.status import EXACT_POSITIONS, Phase, Status
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observation import ObservedJob
from transcription_operator.policies.phase_status import PhaseStatus
from transcription_operator.policies.slots import Candidate

STUCK_AFTER = timedelta(minutes=5)
"""Most pods start faster, with the image to be pulled or a node to be added."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def candidate_of(
    owner: TranscriptionJob | Unreadable, job: ObservedJob | None, since: datetime, now: datetime
) -> Candidate | None:
    """What a TranscriptionJob wants of the queue: None for nothing.

    Args:
        job: the Job that has its current Job's name.
        since: the time from which it has been in its phase.
    """
    metadata, status = owner.metadata, owner.status
    if metadata.deletion_timestamp or owner.is_finished:
        return None
    ours = job if job and job.owner_uid == metadata.uid else None
    active = not (ours.suspended or ours.finished) if ours else _has_begun(status)
    if isinstance(owner, Unreadable):
        # Its pods, if it has any, are left alone.
        priority, wants = 0, ours is not None and active
    else:
        spec = owner.spec
        in_kueues = spec.queue_name is not None or (ours is not None and ours.queue is not None)
        priority, wants = spec.priority, not spec.suspend and not in_kueues
    if not wants:
        return None
    return Candidate(
        key=owner.key,
        namespace=metadata.namespace,
        priority=priority,
        created=metadata.creation_timestamp or _LONG_AGO,
        uid=metadata.uid,
        active=active,
        stuck=_is_stuck(status, since, now),
    )


def _has_begun(status: Status) -> bool:
    return status.phase in (Phase.PENDING, Phase.RUNNING) and status.job_name is not None


def _is_stuck(status: Status, since: datetime, now: datetime) -> bool:
    if status.running_since is None:
        # Written in the status, so known to an operator that has just started.
        since = status.active_since or since
    return status.phase is Phase.PENDING and now - since >= STUCK_AFTER


def waits(after: Status, now: datetime) -> Iterator[float]:
    """Seconds until a job that has just got this status may be stuck."""
    if after.phase is Phase.PENDING and after.active_since:
        left = (after.active_since + STUCK_AFTER - now).total_seconds()
        if left > 0:
            yield left


def reported(position: int) -> int:
    """A position as the status has it. With a line of thousands, exact ones would be thousands of
    writes whenever a job ends."""
    if position <= EXACT_POSITIONS:
        return position
    bounds: Iterator[int] = (step * 10**power for power in count(1) for step in (1, 2, 5))
    return next(bound for bound in bounds if position <= bound)


def phase() -> PhaseStatus:
    """Queued. The position is a field of its own, so that it does not change all conditions."""
    return PhaseStatus(
        Phase.QUEUED, "Queued", "Waiting: the operator's limit of active jobs is reached"
    )
