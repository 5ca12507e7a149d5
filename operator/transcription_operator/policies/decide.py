"""Observation -> actions, and when to look again; the order in which the policies are asked."""

from collections.abc import Iterator
from datetime import datetime

from transcription_api.status import Phase, Status
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies import (
    deadlines,
    ending_namespace,
    kueue,
    lost_nodes,
    queueing,
    refusals,
    retry,
    suspension,
    ttl,
)
from transcription_operator.policies.actions import (
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
    return [*_of_job(owner, seen), *lost_nodes.actions(seen, now)]


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
        return ttl.wait(owner, seen, now, retention)
    moments = [resync, *lost_nodes.waits(seen, now)]
    if not suspension.is_held_back(owner, seen):
        moments += refusals.waits(seen)
        moments += queueing.waits(after, now)
        if owner.status.running_since is None:
            moments.append(deadlines.wait(owner, seen.job, now))
    return max(min(moments), _LEAST_SECONDS)


def _after_the_end(
    owner: TranscriptionJob, seen: Observation, now: datetime, retention: ttl.Retention
) -> list[Action]:
    if ttl.is_over(owner, now, retention):
        return [DeleteOwner()]
    if owner.retry_asked:
        return [*retry.actions(seen)]
    job = seen.job
    if job is None:
        return []
    still_runs = owner.status.phase is Phase.FAILED and not job.finished
    if still_runs or ttl.is_over_for_child(owner, now, retention):
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
    if kueue.owns_suspend(owner) and held_back:
        # Its spec.suspend is Kueue's: a Job that is not to run is taken away altogether.
        yield DeleteJob(job.name, job.uid)
        return
    suspend = job.suspended if kueue.owns_suspend(owner) else held_back
    if changes := _changes(job, suspend, deadlines.active_deadline(owner)):
        yield ChangeJob(job.name, job.uid, changes)


def _changes(job: ObservedJob, suspend: bool, deadline: int | None) -> dict[str, bool | int | None]:
    changes: dict[str, bool | int | None] = {}
    if job.suspended != suspend:
        changes["suspend"] = suspend
    if job.active_deadline != deadline:
        changes["activeDeadlineSeconds"] = deadline
    return changes
