"""spec.queueName: Kueue decides when the Job runs, and owns its spec.suspend."""

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.phase_status import PhaseStatus


def owns_suspend(owner: TranscriptionJob) -> bool:
    """Whether the Job's spec.suspend is Kueue's."""
    return owner.spec.queue_name is not None


def phase(owner: TranscriptionJob) -> PhaseStatus:
    """The phase of a suspended Job that nobody of ours holds back."""
    if owner.spec.queue_name is None:
        return PhaseStatus(Phase.PENDING, "WorkersStarting", "The Job is starting")
    return PhaseStatus(
        Phase.QUEUED,
        "AwaitingAdmission",
        f"Waiting: Kueue has not admitted the job to queue {owner.spec.queue_name}; see kubectl "
        "describe workloads",
    )
