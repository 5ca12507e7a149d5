"""What the workers' pods say: whether any ran, what one delivered, how many failed."""

from transcription_api.status import Phase, Workers
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Result, decode
from transcription_operator.policies import failures
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.phase_status import PhaseStatus


def last_words(seen: Observation) -> Result | None:
    """The result that the worker that delivered reported, while its pod is there."""
    for pod in seen.pods:
        words = decode(pod.last_words) if pod.phase == "Succeeded" else None
        if words and words.result:
            return words.result
    return None


def is_explained(seen: Observation) -> bool:
    """Whether the pods tell how a finished Job ended: what it delivered, or why it failed."""
    if seen.job is None or not seen.job.finished:
        return True
    if seen.job.complete:
        return last_words(seen) is not None
    return any(failures.of_pod(pod) for pod in seen.pods)


def has_worked(owner: TranscriptionJob, seen: Observation) -> bool:
    """Whether any worker has run in the current active period."""
    since = owner.status.active_since
    return owner.status.running_since is not None or any(
        pod.running
        or (
            pod.exit_code is not None
            and (since is None or pod.finished_at is None or pod.finished_at >= since)
        )
        for pod in seen.pods
    )


def is_at_work(pod: ObservedPod) -> bool:
    """Running, or ended in a way that the Job controller has not taken note of yet."""
    return pod.running or pod.exit_code == 0 or failures.is_final(pod)


def count(owner: TranscriptionJob, seen: Observation, found: PhaseStatus) -> Workers:
    """status.workers."""
    past, before = owner.status, owner.status.workers or Workers()
    active = sum(1 for pod in seen.pods if pod.phase in ("Pending", "Running"))
    if found.phase is Phase.PENDING and (past.reason, past.message) == (
        found.reason,
        found.message,
    ):
        # A pod that was created and waits, as expected, is not worth a write of its own.
        active = before.active
    failed = sum(1 for pod in seen.pods if failures.of_pod(pod))
    # Nothing replaces each worker's last failure once the Job has failed.
    given_up = owner.spec.workers if seen.job and seen.job.failed else 0
    return Workers(
        active=active,
        succeeded=max(
            before.succeeded,
            sum(1 for pod in seen.pods if pod.phase == "Succeeded"),
        ),
        failed=max(before.failed, failed),
        retried=max(before.retried, failed - given_up, 0),
    )
