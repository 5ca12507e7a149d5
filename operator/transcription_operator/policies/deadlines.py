"""pendingDeadlineSeconds and activeDeadlineSeconds: their clocks, and what follows when they end.

Neither counts while a job is queued or suspended. A Job's own activeDeadlineSeconds begins anew
whenever it is resumed, so each start gets what is left.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from transcription_api.spec import NO_DEADLINE
from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_operator.policies import failures
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.phase_status import PhaseStatus

DEADLINE_EXCEEDED = "DeadlineExceeded"
"""batch/v1's word for activeDeadlineSeconds."""

_LEAST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Clock:
    """How long an attempt has been active: since a moment, and seconds before that."""

    since: datetime | None
    earlier: int


def clock_of(owner: TranscriptionJob, phase: Phase, now: datetime) -> Clock:
    """The clock in that phase: it stands still while the job is queued or suspended."""
    since, earlier = owner.status.active_since, owner.status.active_seconds or 0
    if phase in (Phase.QUEUED, Phase.SUSPENDED):
        if since is None:
            return Clock(None, earlier)
        return Clock(None, earlier + max(0, round((now - since).total_seconds())))
    # A resumed Job keeps its previous startTime until its controller has seen it.
    return Clock(since or now.replace(microsecond=0), earlier)


def active_deadline(owner: TranscriptionJob) -> int | None:
    """Seconds that spec.activeDeadlineSeconds leaves for the Job's next start."""
    total = owner.spec.active_deadline_seconds
    return None if total is None else max(1, total - (owner.status.active_seconds or 0))


def pending_since(owner: TranscriptionJob, job: ObservedJob | None) -> datetime | None:
    """The start of the pending deadline: the current active period, or the Job's start if that is
    later."""
    since = owner.status.active_since
    if since is None:
        return None
    begin = (job.started or job.created) if job else None
    return max(since, begin) if begin else since


def has_passed(owner: TranscriptionJob, job: ObservedJob | None, now: datetime) -> bool:
    """Whether pendingDeadlineSeconds is over."""
    left = _seconds_left(owner, job, now)
    return left is not None and left <= 0


def waits(owner: TranscriptionJob, job: ObservedJob | None, now: datetime) -> Iterator[float]:
    """Seconds until pendingDeadlineSeconds is over, if there is a deadline."""
    left = _seconds_left(owner, job, now)
    if left is not None:
        yield max(left, _LEAST_WAIT_SECONDS)


def _seconds_left(owner: TranscriptionJob, job: ObservedJob | None, now: datetime) -> float | None:
    allowed = owner.spec.pending_deadline_seconds
    if allowed == NO_DEADLINE:
        return None
    begin = pending_since(owner, job) or now
    return allowed - (now - begin).total_seconds()


def pending_deadline_exceeded(owner: TranscriptionJob, problem: Failure | None) -> PhaseStatus:
    """Failed, with what kept the pods from starting."""
    waited = owner.spec.pending_deadline_seconds
    reason = problem.reason if problem else "PendingDeadlineExceeded"
    why = f": {problem.message}" if problem else ""
    return PhaseStatus(Phase.FAILED, reason, f"No worker could start within {waited} s{why}")


def active_deadline_exceeded(
    owner: TranscriptionJob, job: ObservedJob, seen: Observation
) -> PhaseStatus | None:
    """Failed, if the Job controller ended the Job for its activeDeadlineSeconds."""
    reasons = {reason for reason, _ in job.conditions.values()}
    if DEADLINE_EXCEEDED not in reasons or any(failures.is_final(pod) for pod in seen.pods):
        return None
    return PhaseStatus(
        Phase.FAILED,
        DEADLINE_EXCEEDED,
        "The job was active for longer than activeDeadlineSeconds "
        f"({owner.spec.active_deadline_seconds} s): raise it or use more workers, then retry "
        "it (annotation transcription.dev/retry); finished work is kept",
    )
