"""Observed -> what to do about it. Pure: reconcile.py does it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observed import Observation, ObservedJob, ObservedPod
from transcription_operator.policies.verdict import pending_since

LOST_AFTER = timedelta(seconds=15)
"""A pod that outlives its grace period by so long is on a node that does not answer."""

RELOOK_SECONDS = 15.0
"""For what no event tells of: a refusal that may have gone, a node that may have died."""

FIRST_RELOOK_SECONDS = 3.0
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class CreateJob:
    """``active_deadline``: the seconds that are left to it, if there is an end."""

    active_deadline: int | None


@dataclass(frozen=True)
class ChangeJob:
    """Fields of the Job's spec to be set."""

    name: str
    uid: str
    spec: dict[str, bool | int | None]


@dataclass(frozen=True)
class DeleteJob:
    """With its pods."""

    name: str
    uid: str


@dataclass(frozen=True)
class ReleasePod:
    """Say that a pod on a lost node has failed: its own kubelet never will, and the Job waits for
    it (a Job with a podFailurePolicy replaces only pods that have ended)."""

    name: str


Action = CreateJob | ChangeJob | DeleteJob | ReleasePod


def actions(parent: TranscriptionJob, seen: Observation, now: datetime) -> list[Action]:
    """What brings the cluster closer to what an unfinished TranscriptionJob asks for."""
    if seen.ending:
        return _of_ending(seen)
    return [*_of_job(parent, seen), *map(ReleasePod, lost_pods(seen, now))]


def last_actions(parent: TranscriptionJob, seen: Observation) -> list[Action]:
    """What is left to do for a finished one: a failed one's Job may not work on."""
    job = seen.job
    if parent.status.phase is Phase.FAILED and job and not job.finished:
        return [DeleteJob(job.name, job.uid)]
    return []


def expires(parent: TranscriptionJob) -> datetime | None:
    """When a finished job is to be deleted by its ttlSecondsAfterFinished."""
    ttl, ended = parent.spec.ttl_seconds_after_finished, parent.status.completion_time
    return ended + timedelta(seconds=ttl) if ttl is not None and ended else None


def lost_pods(seen: Observation, now: datetime) -> list[str]:
    """Pods that outlived their deletion on a node that does not answer."""
    return [
        pod.name for pod in overdue(seen.pods, now) if pod.evicted or pod.node in seen.silent_nodes
    ]


def overdue(pods: tuple[ObservedPod, ...], now: datetime) -> list[ObservedPod]:
    """Pods that should have been gone for a while."""
    return [
        pod
        for pod in pods
        if pod.deletion and now >= pod.deletion + LOST_AFTER and pod.phase in ("Pending", "Running")
    ]


def active_deadline(parent: TranscriptionJob) -> int | None:
    """The seconds that spec.activeDeadlineSeconds leaves for the Job's next start. Its own clock
    begins anew at each."""
    total = parent.spec.active_deadline_seconds
    return None if total is None else max(1, total - (parent.status.active_seconds or 0))


def revisit_after(
    parent: TranscriptionJob, seen: Observation, now: datetime, resync: float
) -> float:
    """Seconds until an unfinished job should be looked at again though no event says so."""
    moments = [resync, *_waits(parent, seen, now)]
    return max(min(moments), _LEAST_SECONDS)


def _of_ending(seen: Observation) -> list[Action]:
    """A Job with a backoffLimitPerIndex lets go of a pod only when it has made another one
    (KEP-3850), which it may not in a namespace that ends; and that deletes Jobs only when all pods
    are gone (KEP-5080). Neither would ever end."""
    job = seen.job
    return [DeleteJob(job.name, job.uid)] if job and not job.finished else []


def _of_job(parent: TranscriptionJob, seen: Observation) -> Iterator[Action]:
    job = seen.job
    held_back = parent.spec.suspend or seen.queued is not None
    if job is None:
        if not held_back and not seen.leaving:
            yield CreateJob(active_deadline(parent))
        return
    if job.finished:
        return
    if parent.spec.queue_name is not None:
        # Kueue owns spec.suspend: a Job that is not to run is taken away from it altogether.
        if held_back:
            yield DeleteJob(job.name, job.uid)
            return
        changes = _changes(job, job.suspended, active_deadline(parent))
    else:
        changes = _changes(job, held_back, active_deadline(parent))
    if changes:
        yield ChangeJob(job.name, job.uid, changes)


def _changes(job: ObservedJob, suspend: bool, deadline: int | None) -> dict[str, bool | int | None]:
    changes: dict[str, bool | int | None] = {}
    if job.suspended != suspend:
        changes["suspend"] = suspend
    if job.active_deadline != deadline:
        changes["activeDeadlineSeconds"] = deadline
    return changes


def _waits(parent: TranscriptionJob, seen: Observation, now: datetime) -> Iterator[float]:
    for pod in seen.pods:
        if pod.deletion and pod.phase in ("Pending", "Running"):
            left = (pod.deletion + LOST_AFTER - now).total_seconds()
            yield left if left > 0 else RELOOK_SECONDS
    if parent.spec.suspend or seen.queued is not None:
        return
    if seen.refused:
        yield RELOOK_SECONDS
    elif seen.job and not seen.pods and not seen.job.suspended:
        yield FIRST_RELOOK_SECONDS
    begin = pending_since(parent, seen.job) or now
    if parent.status.running_since is None:
        left = parent.spec.pending_deadline_seconds - (now - begin).total_seconds()
        yield max(left, 1.0)
