"""Observed -> status. Pure: the same observation at the same time gives the same status."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from transcription_api.progress import Progress
from transcription_api.reading import Unreadable
from transcription_api.status import (
    Condition,
    ConditionType,
    FailedItem,
    Phase,
    Status,
    StatusResult,
)
from transcription_api.transcriptionjob import Resource, TranscriptionJob
from transcription_contract.locations import manifest_uri
from transcription_contract.termination import MAX_FAILURES, Failure, Result
from transcription_operator.policies import (
    deadlines,
    evictions,
    queueing,
    retry,
    unreadable,
    workers,
)
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.phase import phase_of
from transcription_operator.policies.phase_status import PhaseStatus


def next_status(
    owner: TranscriptionJob,
    seen: Observation,
    progress: Progress | None,
    now: datetime,
) -> Status:
    """The whole status that an observation gives; the owner's own is the past to go on from."""
    if owner.is_finished:
        asked = owner.retry_asked
        return retried_status(owner, asked, now) if asked else finished_status(owner, seen)
    found = _prepared(phase_of(owner, seen, now), progress or owner.status.progress)
    if seen.not_scaled and not found.phase.finished:
        message = f"{found.message}; spec.workers is not followed: {seen.not_scaled}"
        found = replace(found, message=message)
    succeeded = found.phase is Phase.SUCCEEDED
    words = workers.last_words(seen) if succeeded else None
    result = _result(owner, words) if succeeded else None
    clock = deadlines.clock_of(owner, found.phase, now)
    return Status(
        observed_generation=owner.metadata.generation,
        phase=found.phase,
        reason=found.reason,
        message=found.message,
        conditions=_conditions(owner, found, now),
        attempt=owner.attempt,
        retry=owner.status.retry,
        queue_position=_queue_position(seen, found),
        start_time=owner.status.start_time or clock.since,
        active_since=clock.since,
        active_seconds=clock.earlier,
        running_since=_running_since(owner, seen, found, now),
        completion_time=_completion_time(seen.job, now) if found.phase.finished else None,
        job_name=seen.job.name if seen.job else owner.status.job_name,
        model=owner.spec.model.label,
        language=(result.language if result else None) or owner.spec.language,
        workers=workers.count(owner, seen, found),
        evicted_pods=evictions.names(owner, seen) or None,
        progress=_progress(owner, found, words, progress),
        result=result,
        failures=_failures(words),
    )


def _prepared(found: PhaseStatus, progress: Progress | None) -> PhaseStatus:
    """Before workers have said how much there is to do: a model of some gigabytes may be on its
    way, or cannot be fetched and is tried again for minutes; or nobody may ask them."""
    if found.reason != "Transcribing" or (progress and progress.total_seconds):
        return found
    message = "Loading the model and fetching the recording"
    return replace(found, message=message)


def finished_status(owner: TranscriptionJob, seen: Observation) -> Status:
    """The status of a job that has ended, about the spec as it is now.

    A change of the spec changes nothing any more, but GitOps tools wait until it was observed.
    """
    past, counts = owner.status, workers.ended(owner, seen)
    if (past.observed_generation, past.workers) == (owner.metadata.generation, counts):
        return past
    observed = {"observed_generation": owner.metadata.generation}
    conditions = tuple(each.model_copy(update=observed) for each in past.conditions)
    changed = {**observed, "conditions": conditions, "workers": counts}
    return past.model_copy(update=changed)


def _running_since(
    owner: TranscriptionJob, seen: Observation, found: PhaseStatus, now: datetime
) -> datetime | None:
    if found.phase in (Phase.QUEUED, Phase.SUSPENDED):
        return None
    has_worked = found.phase is Phase.RUNNING or workers.has_worked(owner, seen)
    return owner.status.running_since or (now.replace(microsecond=0) if has_worked else None)


def retried_status(owner: TranscriptionJob, value: str, now: datetime) -> Status:
    """The status of a failed job that is to be tried again: its progress stays, since what was
    done is found again, and everything else begins anew."""
    found = retry.PHASE
    return Status(
        observed_generation=owner.metadata.generation,
        phase=found.phase,
        reason=found.reason,
        message=found.message,
        conditions=_conditions(owner, found, now),
        attempt=owner.attempt + 1,
        retry=value,
        start_time=owner.status.start_time,
        model=owner.status.model,
        language=owner.status.language,
        progress=owner.status.progress,
    )


def failed_status(owner: TranscriptionJob, failure: Failure, now: datetime) -> Status:
    """The status of a job that cannot even be started."""
    return _changed(
        owner,
        PhaseStatus.of(Phase.FAILED, failure),
        now,
        completion_time=now,
        model=owner.spec.model.label,
        language=owner.spec.language,
    )


def unreadable_status(owner: Unreadable, now: datetime) -> Status:
    """The status of a job that cannot be read; without a time of completion, which would start its
    TTL."""
    return _changed(owner, unreadable.phase(owner), now)


def _changed(owner: Resource, found: PhaseStatus, now: datetime, **fields: Any) -> Status:
    """The past status in another phase."""
    changed = owner.status.model_copy(
        update={
            "observed_generation": owner.metadata.generation,
            "phase": found.phase,
            "reason": found.reason,
            "message": found.message,
            "conditions": _conditions(owner, found, now),
            "queue_position": None,
            **fields,
        }
    )
    # A copy is not validated, and so not clipped.
    return Status.model_validate(changed.model_dump())


def _queue_position(seen: Observation, found: PhaseStatus) -> int | None:
    if seen.queued is None or found.phase is not Phase.QUEUED:
        return None
    return queueing.reported(seen.queued)


def _result(owner: TranscriptionJob, words: Result | None) -> StatusResult:
    """Where the results are is known from the spec; the rest is known while the pod is there."""
    output = owner.spec.output.uri
    manifest = str(manifest_uri(output))
    if words is None:
        return StatusResult(uri=output, manifest_uri=manifest)
    return StatusResult(
        uri=output,
        manifest_uri=manifest,
        files=words.files,
        items=words.items if words.items > 1 else None,
        items_failed=words.items_failed if words.items > 1 else None,
        items_skipped=words.items_skipped if words.items > 1 or words.items_skipped else None,
        warnings=words.warnings,
        suspect_segments=words.suspect_segments,
        language=words.language,
        audio_seconds=words.audio_seconds,
        model_sha256=words.model_sha256,
    )


def _failures(words: Result | None) -> tuple[FailedItem, ...]:
    failed = words.failures[:MAX_FAILURES] if words else ()
    return tuple(FailedItem(item=f.item, reason=f.reason, message=f.message) for f in failed)


def _progress(
    owner: TranscriptionJob,
    found: PhaseStatus,
    words: Result | None,
    progress: Progress | None,
) -> Progress | None:
    latest = progress or owner.status.progress
    if found.phase is Phase.RUNNING:
        # Set from the first worker on, also when none can be asked: it tells a job that has
        # worked from one that never started.
        return latest or Progress()
    if found.phase is not Phase.SUCCEEDED:
        return latest
    latest = latest or Progress()
    total = words.audio_seconds if words else latest.total_seconds
    items = words.items if words else latest.items
    return latest.model_copy(
        update={
            "percent": 100,
            "processed_seconds": total,
            "total_seconds": total,
            "items": items,
            "items_done": items,
            "items_failed": words.items_failed if words else latest.items_failed,
            "estimated_remaining_seconds": 0,
        }
    )


def _completion_time(job: ObservedJob | None, now: datetime) -> datetime:
    return (job.completed if job else None) or now.replace(microsecond=0)


def _conditions(owner: Resource, found: PhaseStatus, now: datetime) -> tuple[Condition, ...]:
    truths = {
        ConditionType.COMPLETE: found.phase is Phase.SUCCEEDED,
        ConditionType.FAILED: found.phase is Phase.FAILED,
        ConditionType.SUSPENDED: found.phase is Phase.SUSPENDED,
        # kstatus takes a job that is held back on purpose for done, not for one that is late.
        ConditionType.RECONCILING: not found.phase.finished and found.phase is not Phase.SUSPENDED,
        ConditionType.STALLED: found.phase is Phase.FAILED,
    }
    return tuple(
        _condition(owner, kind, "True" if truth else "False", found, now)
        for kind, truth in truths.items()
    )


def _condition(
    owner: Resource, kind: ConditionType, truth: str, found: PhaseStatus, now: datetime
) -> Condition:
    before = owner.status.condition(kind)
    kept = before.last_transition_time if before and before.status == truth else None
    return Condition(
        type=kind,
        status=truth,
        reason=found.reason,
        message=found.message,
        observed_generation=owner.metadata.generation,
        last_transition_time=kept or now.replace(microsecond=0),
    )
