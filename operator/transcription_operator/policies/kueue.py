"""Kueue's queues: Kueue decides when a Job in one runs, and owns its spec.suspend.

A Job is in a queue if it has the queue's label: from spec.queueName, or from Kueue itself, which
puts every Job of a namespace with a LocalQueue called default into that
(https://kueue.sigs.k8s.io/docs/tasks/manage/enforce_job_management/setup_default_local_queue/).
"""

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observation import ObservedJob
from transcription_operator.policies.phase_status import PhaseStatus


def queue_of(owner: TranscriptionJob, job: ObservedJob | None) -> str | None:
    """The LocalQueue that the Job is in, or will be; None for none."""
    return owner.spec.queue_name or (job.queue if job else None)


def phase(queue: str) -> PhaseStatus:
    """The phase of a Job that Kueue has not admitted."""
    return PhaseStatus(
        Phase.QUEUED,
        "AwaitingAdmission",
        f"Waiting: Kueue has not admitted the job to queue {queue}; see kubectl describe workloads",
    )
