"""spec.suspend, and Jobs that something other than the operator suspends or resumes.

The operator resumes only what it has suspended, and suspends a Job only once: another controller
would answer each change with its own.
"""

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.phase_status import PhaseStatus
from transcription_operator.policies.wording import plural


def is_held_back(owner: TranscriptionJob, seen: Observation) -> bool:
    """Whether no worker may run: suspended by the user, or queued by the operator."""
    return owner.spec.suspend or seen.queued is not None


def change(job: ObservedJob, *, held_back: bool) -> bool | None:
    """What the Job's spec.suspend should become; None to leave it as it is."""
    if held_back:
        return None if job.suspended else True
    return False if job.suspended and job.suspended_by_us else None


def is_overruled(job: ObservedJob) -> bool:
    """Whether something else has resumed a Job that the operator had suspended."""
    return job.suspended_by_us and not job.suspended


def phase(seen: Observation) -> PhaseStatus:
    """Suspended by the user, with the pods that are still stopping."""
    return PhaseStatus(
        Phase.SUSPENDED,
        "Suspended",
        "Suspended: set spec.suspend to false (kubectl transcribe resume) to resume from the last "
        f"checkpoint{_still_stopping(seen)}",
    )


def phase_of_suspended(job: ObservedJob, seen: Observation) -> PhaseStatus:
    """The phase of a suspended Job that is not held back."""
    if job.suspended_by_us:
        return PhaseStatus(Phase.PENDING, "WorkersStarting", "The Job is starting")
    return PhaseStatus(
        Phase.SUSPENDED,
        "JobSuspended",
        f"Suspended by something other than the operator: spec.suspend of Job {job.name} was set "
        "by an administrator, a policy, or Kueue, which waits for the label "
        "kueue.x-k8s.io/queue-name; the job continues when that resumes the Job"
        f"{_still_stopping(seen)}",
    )


def _still_stopping(seen: Observation) -> str:
    stopping = sum(1 for pod in seen.pods if not pod.has_ended)
    return f"; {plural(stopping, 'pod')} still stopping" if stopping else ""
