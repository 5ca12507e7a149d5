"""Observation -> phase, reason and message; the order in which the policies are asked."""

from datetime import datetime

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.locations import manifest_uri
from transcription_contract.termination import Result
from transcription_operator.policies import (
    architecture,
    deadlines,
    evictions,
    failures,
    kueue,
    queueing,
    refusals,
    sidecars,
    suspension,
    workers,
)
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.phase_status import PhaseStatus
from transcription_operator.policies.wording import duration, plural

NO_DETAILS = "The transcripts were delivered; details: {manifest}"


def phase_of(owner: TranscriptionJob, seen: Observation, now: datetime) -> PhaseStatus:
    """The phase that an observation gives; the owner's own status is the past."""
    job = seen.job
    if job is None:
        return _held_back(owner, None, seen) or _without_job(owner, seen, now)
    return (
        _ended(owner, job, seen, now)
        or _held_back(owner, job, seen)
        or _active(owner, job, seen, now)
    )


def _ended(
    owner: TranscriptionJob, job: ObservedJob, seen: Observation, now: datetime
) -> PhaseStatus | None:
    # A worker exits 0 only when everything is delivered: that beats how its siblings ended.
    delivered = job.complete or any(workers.has_delivered(pod) for pod in seen.pods)
    if delivered or sidecars.has_delivered(seen, now):
        return PhaseStatus(Phase.SUCCEEDED, "Delivered", _delivered(owner, seen))
    if job.failed:
        return _failed(owner, job, seen)
    # Here the Job itself would wait, or try again.
    if failure := sidecars.final_failure(seen, now):
        return PhaseStatus.of(Phase.FAILED, failure)
    return evictions.exceeded(owner, seen) or architecture.mismatch(seen)


def _held_back(
    owner: TranscriptionJob, job: ObservedJob | None, seen: Observation
) -> PhaseStatus | None:
    if owner.spec.suspend:
        return suspension.phase(seen)
    if seen.queued is not None:
        return queueing.phase()
    if job is None or not job.suspended:
        return None
    queue = kueue.queue_of(owner, job)
    return kueue.phase(queue) if queue else suspension.phase_of_suspended(job, seen)


def _active(
    owner: TranscriptionJob, job: ObservedJob, seen: Observation, now: datetime
) -> PhaseStatus:
    if any(workers.is_at_work(pod) for pod in seen.pods):
        return PhaseStatus(Phase.RUNNING, "Transcribing", "Workers are transcribing")
    return _pending(owner, seen, job, now)


def _without_job(owner: TranscriptionJob, seen: Observation, now: datetime) -> PhaseStatus:
    refused = seen.refused or refusals.BEING_CREATED
    if deadlines.has_passed(owner, None, now) and not workers.has_worked(owner, seen):
        return deadlines.pending_deadline_exceeded(owner, refused)
    return PhaseStatus.of(Phase.PENDING, refused)


def _failed(owner: TranscriptionJob, job: ObservedJob, seen: Observation) -> PhaseStatus:
    if exceeded := deadlines.active_deadline_exceeded(owner, job, seen):
        return exceeded
    return PhaseStatus.of(Phase.FAILED, failures.of_job(job, seen.pods))


def _pending(
    owner: TranscriptionJob, seen: Observation, job: ObservedJob, now: datetime
) -> PhaseStatus:
    problem = failures.of_pending(seen.pods) or seen.refused
    worked = workers.has_worked(owner, seen)
    if worked and problem is None:
        return PhaseStatus(Phase.RUNNING, "WorkerRestarting", _restarting(seen))
    if not worked and deadlines.has_passed(owner, job, now):
        return deadlines.pending_deadline_exceeded(owner, problem)
    if problem:
        return PhaseStatus.of(Phase.PENDING, problem)
    return PhaseStatus(Phase.PENDING, "WorkersStarting", "Waiting for the workers' pods to start")


def _restarting(seen: Observation) -> str:
    failed = [failure for pod in seen.pods if (failure := failures.of_pod(pod))]
    why = f", after: {failed[-1].message}" if failed else ""
    return f"Waiting for a new worker{why}"


def _delivered(owner: TranscriptionJob, seen: Observation) -> str:
    words = workers.last_words(seen)
    if words is None:
        return NO_DETAILS.format(manifest=manifest_uri(owner.spec.output.uri))
    output, counts = owner.spec.output.uri, _counts(words)
    recordings = words.items - words.items_skipped
    if recordings == 0:
        return f"Nothing new to transcribe, {', '.join(counts)}, in {output}"
    length = f"{duration(words.audio_seconds)} of audio"
    if words.items == 1 and not counts:
        return f"Transcribed {length} to {output}"
    done = plural(recordings, "recording")
    if words.items_failed:
        done = f"{recordings - words.items_failed} of {done}"
    parts = [length, *counts] if words.items == 1 else [done, length, *counts]
    return f"Transcribed {', '.join(parts)}, to {output}"


def _counts(words: Result) -> list[str]:
    """What a reader should know beside the length, without what there is none of."""
    counted = (
        (words.items_failed, "recording", " failed"),
        (words.items_skipped, "file", " skipped"),
        (words.warnings, "warning", ""),
        (words.suspect_segments, "suspect segment", ""),
    )
    return [plural(number, noun) + verb for number, noun, verb in counted if number]
