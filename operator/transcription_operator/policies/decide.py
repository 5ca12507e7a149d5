"""Observation -> actions, and when to look again; the order in which the policies are asked."""

from collections.abc import Iterator
from datetime import datetime

from transcription_api.status import Phase, Status
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies import (
    deadlines,
    deletions,
    ending_namespace,
    kueue,
    lost_nodes,
    names,
    queueing,
    refusals,
    retry,
    sidecars,
    suspension,
    ttl,
)
from transcription_operator.policies.actions import (
    SCALE,
    Action,
    ChangeJob,
    CreateJob,
    DeleteJob,
    DeleteOwner,
)
from transcription_operator.policies.observation import Observation, ObservedJob

_LEAST_SECONDS = 0.5


def actions(
    owner: TranscriptionJob,
    seen: Observation,
    now: datetime,
    retention: ttl.Retention = ttl.FOREVER,
) -> list[Action]:
    """What brings the cluster closer to what a TranscriptionJob asks for."""
    if owner.is_finished:
        return _after_the_end(owner, seen, now, retention)
    if seen.ending:
        return [*ending_namespace.actions(seen)]
    return [
        *_of_job(owner, seen),
        *deletions.actions(seen),
        *lost_nodes.actions(seen, now),
        *sidecars.actions(seen, now),
    ]


def again_after(
    owner: TranscriptionJob,
    after: Status,
    seen: Observation,
    now: datetime,
    resync: float,
    retention: ttl.Retention = ttl.FOREVER,
) -> float | None:
    """Seconds until the job should be reconciled again though no event says so; None for never.

    ``owner`` is the job as it was, ``after`` its status now.
    """
    if owner.is_finished != after.is_finished:
        return 0.0
    if after.is_finished:
        waits = [*ttl.waits(owner, seen, now, retention), *sidecars.waits(seen, now)]
        return min(waits, default=None)
    moments = [resync, *lost_nodes.waits(seen, now), *sidecars.waits(seen, now)]
    if not suspension.is_held_back(owner, seen):
        moments += refusals.waits(seen)
        moments += queueing.waits(after, now)
        if owner.status.running_since is None:
            moments += deadlines.waits(owner, seen.job, now)
    return max(min(moments), _LEAST_SECONDS)


def _after_the_end(
    owner: TranscriptionJob, seen: Observation, now: datetime, retention: ttl.Retention
) -> list[Action]:
    if owner.retry_asked:
        return [*retry.actions(seen)]
    if ttl.is_over(owner, now, retention):
        return [DeleteOwner()]
    job = seen.job
    if job is None:
        return []
    given_up = owner.status.phase is Phase.FAILED and not job.finished
    held_up = sidecars.hold_up_the_end(seen, now)
    if given_up or held_up or ttl.is_over_for_child(owner, now, retention):
        return [DeleteJob(job.name, job.uid)]
    return []


def _of_job(owner: TranscriptionJob, seen: Observation) -> Iterator[Action]:
    job = seen.job
    held_back = suspension.is_held_back(owner, seen)
    if job is None:
        if not held_back and not seen.leaving and seen.refused is None:
            yield CreateJob(deadlines.active_deadline(owner))
        return
    if job.finished:
        return
    in_queue = kueue.queue_of(owner, job) is not None
    if held_back and (in_queue or suspension.is_overruled(job)):
        # Its spec.suspend is somebody else's: a Job that may not run is deleted.
        yield DeleteJob(job.name, job.uid)
        return
    suspend = None if in_queue else suspension.change(job, held_back=held_back)
    if changes := _changes(owner, job, suspend):
        yield ChangeJob(job.name, job.uid, changes, _annotations(suspend))


def _changes(
    owner: TranscriptionJob, job: ObservedJob, suspend: bool | None
) -> dict[str, bool | int | None]:
    deadline, workers = deadlines.active_deadline(owner), owner.spec.workers
    changes: dict[str, bool | int | None] = {}
    if suspend is not None:
        changes["suspend"] = suspend
    if job.active_deadline != deadline:
        changes["activeDeadlineSeconds"] = deadline
    if job.workers != workers:
        # The completions of an Indexed Job may only be changed together with its parallelism.
        changes |= dict.fromkeys(SCALE, workers)
    return changes


def _annotations(suspend: bool | None) -> dict[str, str | None]:
    if suspend is None:
        return {}
    return {names.SUSPENDED_ANNOTATION: "true" if suspend else None}
