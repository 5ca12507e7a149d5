"""What the workers' pods say: whether any ran, what one delivered, how many failed."""

from collections.abc import Callable

from transcription_api.status import Phase, Workers
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Result, decode
from transcription_operator.policies import failures
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.phase_status import PhaseStatus


def last_words(seen: Observation) -> Result | None:
    """The result that the worker that delivered reported, while its pod is there."""
    for pod in seen.pods:
        words = decode(pod.last_words) if pod.exit_code == 0 else None
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


def has_delivered(pod: ObservedPod) -> bool:
    """Whether its worker succeeded; another container may have failed the pod."""
    return pod.phase == "Succeeded" or (pod.has_ended and pod.exit_code == 0)


def is_at_work(pod: ObservedPod) -> bool:
    """Running, or ended in a way that the Job controller has not taken note of yet."""
    return pod.running or pod.exit_code == 0 or failures.is_final(pod)


def count(owner: TranscriptionJob, seen: Observation, found: PhaseStatus) -> Workers:
    """status.workers."""
    past, before = owner.status, owner.status.workers or Workers()
    active = 0 if found.phase.finished else sum(1 for pod in seen.pods if not pod.has_ended)
    if (
        before.active == 0
        and found.phase is Phase.PENDING
        and (past.reason, past.message) == (found.reason, found.message)
    ):
        # A pod that was created and waits, as expected, is not worth a write of its own.
        active = 0
    return Workers(
        active=active,
        succeeded=_succeeded(before, seen),
        failed=max(before.failed, _sum_over_workers(seen.pods, _failed)),
        retried=max(before.retried, _sum_over_workers(seen.pods, lambda pod: pod.failures)),
        interrupted=max(before.interrupted, _sum_over_workers(seen.pods, _interrupted)),
    )


def ended(owner: TranscriptionJob, seen: Observation) -> Workers | None:
    """status.workers of a job that has ended: others may have succeeded after the first one."""
    before = owner.status.workers
    if before is None:
        return None
    return before.model_copy(update={"active": 0, "succeeded": _succeeded(before, seen)})


def _succeeded(before: Workers, seen: Observation) -> int:
    present = sum(1 for pod in seen.pods if pod.phase == "Succeeded")
    return max(before.succeeded, present, seen.job.succeeded if seen.job else 0)


def _sum_over_workers(pods: tuple[ObservedPod, ...], number: Callable[[ObservedPod], int]) -> int:
    """Each pod knows how many came before it, so that the latest of a worker tells of all, also of
    those that were removed."""
    latest: dict[int | str, int] = {}
    for pod in pods:
        worker = pod.name if pod.index is None else pod.index
        latest[worker] = max(latest.get(worker, 0), number(pod))
    return sum(latest.values())


def _failed(pod: ObservedPod) -> int:
    return pod.failures + (failures.of_pod(pod) is not None and failures.is_counted(pod))


def _interrupted(pod: ObservedPod) -> int:
    return pod.interruptions + (failures.of_pod(pod) is not None and not failures.is_counted(pod))
