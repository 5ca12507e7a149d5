"""Observed -> status. Pure: the same observation at the same time gives the same status."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from transcription_contract.locations import manifest_uri
from transcription_contract.termination import MAX_FAILURES, Failure, Result, decode
from transcription_operator import failures
from transcription_operator.api.status import (
    Condition,
    ConditionType,
    FailedItem,
    Phase,
    Progress,
    Status,
    StatusResult,
    Workers,
)
from transcription_operator.api.transcriptionjob import TranscriptionJob
from transcription_operator.observed import Observation, ObservedJob, ObservedPod

NO_DETAILS = "The transcripts were delivered; details: {manifest}"


@dataclass(frozen=True)
class Verdict:
    """Where a job stands: the phase, and why."""

    phase: Phase
    reason: str
    message: str


def next_status(
    parent: TranscriptionJob,
    seen: Observation,
    progress: Progress | None,
    now: datetime,
) -> Status:
    """The whole status that an observation gives; the parent's own is the past to go on from."""
    if parent.status.phase and parent.status.phase.finished:
        return parent.status
    verdict = _verdict(parent, seen, now)
    succeeded = verdict.phase is Phase.SUCCEEDED
    words = _last_words(seen) if succeeded else None
    result = _result(parent, words) if succeeded else None
    return Status(
        observed_generation=parent.metadata.generation,
        phase=verdict.phase,
        reason=verdict.reason,
        message=verdict.message,
        conditions=_conditions(parent, verdict, now),
        start_time=(seen.job.started if seen.job else None) or parent.status.start_time,
        completion_time=_completion_time(seen.job, now) if verdict.phase.finished else None,
        job_name=seen.job.name if seen.job else parent.status.job_name,
        model=parent.spec.model.label,
        language=(result.language if result else None) or parent.spec.language,
        workers=_workers(parent, seen),
        progress=_progress(parent, verdict, words, progress),
        result=result,
        failures=_failures(words),
    )


def failed_status(parent: TranscriptionJob, failure: Failure, now: datetime) -> Status:
    """The status of a job that cannot even be started."""
    verdict = Verdict(Phase.FAILED, failure.reason, failure.message)
    return parent.status.model_copy(
        update={
            "observed_generation": parent.metadata.generation,
            "phase": verdict.phase,
            "reason": verdict.reason,
            "message": verdict.message,
            "conditions": _conditions(parent, verdict, now),
            "completion_time": now,
            "model": parent.spec.model.label,
            "language": parent.spec.language,
        }
    )


def _deadline_passed(parent: TranscriptionJob, job: ObservedJob | None, now: datetime) -> bool:
    """Whether a job that has not begun to work is to be given up."""
    begin = (job.started or job.created) if job else parent.metadata.creation_timestamp
    allowed = timedelta(seconds=parent.spec.pending_deadline_seconds)
    return begin is not None and now >= begin + allowed


def _verdict(parent: TranscriptionJob, seen: Observation, now: datetime) -> Verdict:
    job = seen.job
    if job is None:
        refused = seen.refused or Failure(reason="JobMissing", message="The Job is being created")
        if _deadline_passed(parent, None, now) and not _worked(parent, seen):
            return _given_up(parent, refused)
        return Verdict(Phase.PENDING, refused.reason, refused.message)
    # A worker exits 0 only when everything is delivered: that beats any verdict on its siblings.
    if job.complete or any(pod.phase == "Succeeded" for pod in seen.pods):
        return Verdict(Phase.SUCCEEDED, "Delivered", _delivered_message(parent, seen))
    if job.failed:
        failure = failures.of_job(job, seen.pods)
        return Verdict(Phase.FAILED, failure.reason, failure.message)
    if any(_works(pod) for pod in seen.pods):
        return Verdict(Phase.RUNNING, "Transcribing", "Workers are transcribing")
    return _pending_verdict(parent, seen, job, now)


def _works(pod: ObservedPod) -> bool:
    """Running, or ended in a way that the Job controller has yet to make its verdict of."""
    return pod.running or pod.exit_code == 0 or failures.is_final(pod)


def _pending_verdict(
    parent: TranscriptionJob, seen: Observation, job: ObservedJob, now: datetime
) -> Verdict:
    problem = failures.of_pending(seen.pods)
    worked = _worked(parent, seen)
    if worked and problem is None:
        return Verdict(Phase.RUNNING, "WorkerRestarting", _restarting_message(seen))
    if not worked and _deadline_passed(parent, job, now):
        return _given_up(parent, problem)
    if problem:
        return Verdict(Phase.PENDING, problem.reason, problem.message)
    return Verdict(Phase.PENDING, "WorkersStarting", "Waiting for the workers' pods to start")


def _given_up(parent: TranscriptionJob, problem: Failure | None) -> Verdict:
    waited = parent.spec.pending_deadline_seconds
    reason = problem.reason if problem else "PendingDeadlineExceeded"
    why = f": {problem.message}" if problem else ""
    return Verdict(Phase.FAILED, reason, f"No worker could start within {waited} s{why}")


def _worked(parent: TranscriptionJob, seen: Observation) -> bool:
    """Whether any worker has ever run."""
    before = parent.status
    return (
        before.phase is Phase.RUNNING
        or before.progress is not None
        or any(pod.exit_code is not None for pod in seen.pods)
    )


def _restarting_message(seen: Observation) -> str:
    failed = [failure for pod in seen.pods if (failure := failures.of_pod(pod))]
    why = f", after: {failed[-1].message}" if failed else ""
    return f"Waiting for a new worker{why}"


def _delivered_message(parent: TranscriptionJob, seen: Observation) -> str:
    words = _last_words(seen)
    if words is None:
        return NO_DETAILS.format(manifest=manifest_uri(parent.spec.output.uri))
    length, output = _duration(words.audio_seconds), parent.spec.output.uri
    if words.items == 1:
        return f"Transcribed {length} of audio to {output}"
    done = f"{words.items} recordings"
    if words.items_failed:
        done = f"{words.items - words.items_failed} of {done} ({words.items_failed} failed)"
    return f"Transcribed {done}, {length} of audio, to {output}"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"


def _last_words(seen: Observation) -> Result | None:
    for pod in seen.pods:
        words = decode(pod.last_words) if pod.phase == "Succeeded" else None
        if words and words.result:
            return words.result
    return None


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
        language=words.language,
        audio_seconds=words.audio_seconds,
        model_sha256=words.model_sha256,
    )


def _failures(words: Result | None) -> tuple[FailedItem, ...]:
    failed = words.failures[:MAX_FAILURES] if words else ()
    return tuple(FailedItem(item=f.item, reason=f.reason, message=f.message) for f in failed)


def _progress(
    parent: TranscriptionJob,
    verdict: Verdict,
    words: Result | None,
    progress: Progress | None,
) -> Progress | None:
    latest = progress or parent.status.progress
    if verdict.phase is Phase.RUNNING:
        # Set from the first worker on, also when none can be asked: it tells a job that has
        # worked from one that never started.
        return latest or Progress()
    if verdict.phase is not Phase.SUCCEEDED:
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


def _workers(parent: TranscriptionJob, seen: Observation) -> Workers:
    before = parent.status.workers or Workers()
    failed = sum(1 for pod in seen.pods if failures.of_pod(pod))
    return Workers(
        active=sum(1 for pod in seen.pods if pod.phase in ("Pending", "Running")),
        succeeded=max(
            before.succeeded,
            sum(1 for pod in seen.pods if pod.phase == "Succeeded"),
        ),
        failed=max(before.failed, failed),
    )


def _completion_time(job: ObservedJob | None, now: datetime) -> datetime:
    return (job.completed if job else None) or now.replace(microsecond=0)


def _conditions(parent: TranscriptionJob, verdict: Verdict, now: datetime) -> tuple[Condition, ...]:
    truths = {
        ConditionType.COMPLETE: verdict.phase is Phase.SUCCEEDED,
        ConditionType.FAILED: verdict.phase is Phase.FAILED,
        ConditionType.RECONCILING: not verdict.phase.finished,
        ConditionType.STALLED: verdict.phase is Phase.FAILED,
    }
    return tuple(
        _condition(parent, kind, "True" if truth else "False", verdict, now)
        for kind, truth in truths.items()
    )


def _condition(
    parent: TranscriptionJob, kind: ConditionType, truth: str, verdict: Verdict, now: datetime
) -> Condition:
    before = parent.status.condition(kind)
    kept = before.last_transition_time if before and before.status == truth else None
    return Condition(
        type=kind,
        status=truth,
        reason=verdict.reason,
        message=verdict.message,
        observed_generation=parent.metadata.generation,
        last_transition_time=kept or now.replace(microsecond=0),
    )
