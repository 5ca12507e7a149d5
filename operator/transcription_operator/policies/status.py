"""Observed -> status. Pure: the same observation at the same time gives the same status."""

from dataclasses import dataclass, replace
from datetime import datetime

from transcription_api.status import (
    Condition,
    ConditionType,
    FailedItem,
    Phase,
    Progress,
    Status,
    StatusResult,
    Workers,
)
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.locations import manifest_uri
from transcription_contract.termination import MAX_FAILURES, Failure, Result
from transcription_operator.policies import failures
from transcription_operator.policies.observed import Observation, ObservedJob
from transcription_operator.policies.verdict import Verdict, last_words, verdict, worked


def next_status(
    parent: TranscriptionJob,
    seen: Observation,
    progress: Progress | None,
    now: datetime,
) -> Status:
    """The whole status that an observation gives; the parent's own is the past to go on from."""
    if parent.status.phase and parent.status.phase.finished:
        return finished_status(parent)
    found = _prepared(verdict(parent, seen, now), progress or parent.status.progress)
    succeeded = found.phase is Phase.SUCCEEDED
    words = last_words(seen) if succeeded else None
    result = _result(parent, words) if succeeded else None
    clock = clock_of(parent, found.phase, now)
    return Status(
        observed_generation=parent.metadata.generation,
        phase=found.phase,
        reason=found.reason,
        message=found.message,
        conditions=_conditions(parent, found, now),
        attempt=parent.attempt,
        retry=parent.status.retry,
        queue_position=seen.queued if found.phase is Phase.QUEUED else None,
        start_time=parent.status.start_time or clock.since,
        active_since=clock.since,
        active_seconds=clock.earlier,
        running_since=_running_since(parent, seen, found, now),
        completion_time=_completion_time(seen.job, now) if found.phase.finished else None,
        job_name=seen.job.name if seen.job else parent.status.job_name,
        model=parent.spec.model.label,
        language=(result.language if result else None) or parent.spec.language,
        workers=_workers(parent, seen, found),
        progress=_progress(parent, found, words, progress),
        result=result,
        failures=_failures(words),
    )


def _prepared(found: Verdict, progress: Progress | None) -> Verdict:
    """Before workers have said how much there is to do: a model of some gigabytes may be on its
    way, or cannot be fetched and is tried again for minutes; or nobody may ask them."""
    if found.reason != "Transcribing" or (progress and progress.total_seconds):
        return found
    message = "Loading the model and fetching the recording"
    return replace(found, message=message)


def finished_status(parent: TranscriptionJob) -> Status:
    """The status of a job that has ended, about the spec as it is now.

    A change of the spec changes nothing any more, but GitOps tools wait until it was observed.
    """
    observed = {"observed_generation": parent.metadata.generation}
    conditions = tuple(each.model_copy(update=observed) for each in parent.status.conditions)
    return parent.status.model_copy(update=observed | {"conditions": conditions})


@dataclass(frozen=True)
class Clock:
    """How long an attempt has been active: since a moment, and seconds before that.

    The Job's own clock begins anew whenever it is resumed.
    """

    since: datetime | None
    earlier: int


def clock_of(parent: TranscriptionJob, phase: Phase, now: datetime) -> Clock:
    """The clock after a visit: it stands still while the job is queued or suspended."""
    since, earlier = parent.status.active_since, parent.status.active_seconds or 0
    if phase in (Phase.QUEUED, Phase.SUSPENDED):
        if since is None:
            return Clock(None, earlier)
        return Clock(None, earlier + max(0, round((now - since).total_seconds())))
    # A Job that is resumed has the startTime of before until its controller has seen it.
    return Clock(since or now.replace(microsecond=0), earlier)


def _running_since(
    parent: TranscriptionJob, seen: Observation, found: Verdict, now: datetime
) -> datetime | None:
    if found.phase in (Phase.QUEUED, Phase.SUSPENDED):
        return None
    has_worked = found.phase is Phase.RUNNING or worked(parent, seen)
    return parent.status.running_since or (now.replace(microsecond=0) if has_worked else None)


def retried_status(parent: TranscriptionJob, value: str, now: datetime) -> Status:
    """The status of a failed job that is to be tried again: its progress stays, since what was
    done is found again, and everything else begins anew."""
    found = Verdict(Phase.PENDING, "Retrying", "Trying again, from where the last attempt ended")
    return Status(
        observed_generation=parent.metadata.generation,
        phase=found.phase,
        reason=found.reason,
        message=found.message,
        conditions=_conditions(parent, found, now),
        attempt=parent.attempt + 1,
        retry=value,
        start_time=parent.status.start_time,
        model=parent.status.model,
        language=parent.status.language,
        progress=parent.status.progress,
    )


def failed_status(parent: TranscriptionJob, failure: Failure, now: datetime) -> Status:
    """The status of a job that cannot even be started."""
    found = Verdict(Phase.FAILED, failure.reason, failure.message)
    failed = parent.status.model_copy(
        update={
            "observed_generation": parent.metadata.generation,
            "phase": found.phase,
            "reason": found.reason,
            "message": found.message,
            "conditions": _conditions(parent, found, now),
            "queue_position": None,
            "completion_time": now,
            "model": parent.spec.model.label,
            "language": parent.spec.language,
        }
    )
    # A copy is not validated, and so not clipped.
    return Status.model_validate(failed.model_dump())


def _result(parent: TranscriptionJob, words: Result | None) -> StatusResult:
    """Where the results are is known from the spec; the rest is known while the pod is there."""
    output = parent.spec.output.uri
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
    parent: TranscriptionJob,
    found: Verdict,
    words: Result | None,
    progress: Progress | None,
) -> Progress | None:
    latest = progress or parent.status.progress
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


def _workers(parent: TranscriptionJob, seen: Observation, found: Verdict) -> Workers:
    past, before = parent.status, parent.status.workers or Workers()
    active = sum(1 for pod in seen.pods if pod.phase in ("Pending", "Running"))
    if found.phase is Phase.PENDING and (past.reason, past.message) == (
        found.reason,
        found.message,
    ):
        # A pod that was made and waits, as was to be expected, is not worth a write of its own.
        active = before.active
    failed = sum(1 for pod in seen.pods if failures.of_pod(pod))
    # Each worker's last failure has nobody come after it once the Job has failed.
    given_up = parent.spec.workers if seen.job and seen.job.failed else 0
    return Workers(
        active=active,
        succeeded=max(
            before.succeeded,
            sum(1 for pod in seen.pods if pod.phase == "Succeeded"),
        ),
        failed=max(before.failed, failed),
        retried=max(before.retried, failed - given_up, 0),
    )


def _completion_time(job: ObservedJob | None, now: datetime) -> datetime:
    return (job.completed if job else None) or now.replace(microsecond=0)


def _conditions(parent: TranscriptionJob, found: Verdict, now: datetime) -> tuple[Condition, ...]:
    truths = {
        ConditionType.COMPLETE: found.phase is Phase.SUCCEEDED,
        ConditionType.FAILED: found.phase is Phase.FAILED,
        ConditionType.SUSPENDED: found.phase is Phase.SUSPENDED,
        # kstatus takes a job that is held back on purpose for done, not for one that is late.
        ConditionType.RECONCILING: not found.phase.finished and found.phase is not Phase.SUSPENDED,
        ConditionType.STALLED: found.phase is Phase.FAILED,
    }
    return tuple(
        _condition(parent, kind, "True" if truth else "False", found, now)
        for kind, truth in truths.items()
    )


def _condition(
    parent: TranscriptionJob, kind: ConditionType, truth: str, found: Verdict, now: datetime
) -> Condition:
    before = parent.status.condition(kind)
    kept = before.last_transition_time if before and before.status == truth else None
    return Condition(
        type=kind,
        status=truth,
        reason=found.reason,
        message=found.message,
        observed_generation=parent.metadata.generation,
        last_transition_time=kept or now.replace(microsecond=0),
    )
