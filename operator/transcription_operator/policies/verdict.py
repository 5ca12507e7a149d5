"""Observed -> where a TranscriptionJob stands, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.locations import manifest_uri
from transcription_contract.termination import Failure, Result, decode
from transcription_operator.policies import failures
from transcription_operator.policies.observed import Observation, ObservedJob, ObservedPod

NO_DETAILS = "The transcripts were delivered; details: {manifest}"
DEADLINE_EXCEEDED = "DeadlineExceeded"
"""batch/v1's word for activeDeadlineSeconds."""


@dataclass(frozen=True)
class Verdict:
    """Where a job stands: the phase, and why."""

    phase: Phase
    reason: str
    message: str


def verdict(parent: TranscriptionJob, seen: Observation, now: datetime) -> Verdict:
    """The phase that an observation gives; the parent's own status is the past."""
    job = seen.job
    if job is None:
        return _without_job(parent, seen, now)
    # A worker exits 0 only when everything is delivered: that beats any verdict on its siblings.
    if job.complete or any(pod.phase == "Succeeded" for pod in seen.pods):
        return Verdict(Phase.SUCCEEDED, "Delivered", _delivered(parent, seen))
    if job.failed:
        return _failed(parent, job, seen)
    if parent.spec.suspend:
        return _suspended(seen)
    if seen.queued is not None:
        return _queued(seen.queued)
    if job.suspended:
        return _not_admitted(parent)
    if any(_works(pod) for pod in seen.pods):
        return Verdict(Phase.RUNNING, "Transcribing", "Workers are transcribing")
    return _pending(parent, seen, job, now)


def last_words(seen: Observation) -> Result | None:
    """What the worker that delivered said, while its pod is there."""
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


def pending_since(parent: TranscriptionJob, job: ObservedJob | None) -> datetime | None:
    """From when on pendingDeadlineSeconds counts: not while it was queued or suspended.

    The Job's own times may be of before that: its startTime is set anew some time after it was let
    go on.
    """
    since = parent.status.active_since
    if since is None:
        return None
    begin = (job.started or job.created) if job else None
    return max(since, begin) if begin else since


def worked(parent: TranscriptionJob, seen: Observation) -> bool:
    """Whether any worker has run since the job was last let go on."""
    since = parent.status.active_since
    return parent.status.running_since is not None or any(
        pod.running
        or (
            pod.exit_code is not None
            and (since is None or pod.finished_at is None or pod.finished_at >= since)
        )
        for pod in seen.pods
    )


def _without_job(parent: TranscriptionJob, seen: Observation, now: datetime) -> Verdict:
    if parent.spec.suspend:
        return _suspended(seen)
    if seen.queued is not None:
        return _queued(seen.queued)
    refused = seen.refused or Failure(reason="JobMissing", message="The Job is being created")
    if _deadline_passed(parent, None, now) and not worked(parent, seen):
        return _given_up(parent, refused)
    return Verdict(Phase.PENDING, refused.reason, refused.message)


def _failed(parent: TranscriptionJob, job: ObservedJob, seen: Observation) -> Verdict:
    reasons = {reason for reason, _ in job.conditions.values()}
    if DEADLINE_EXCEEDED in reasons and not any(failures.is_final(pod) for pod in seen.pods):
        return Verdict(
            Phase.FAILED,
            DEADLINE_EXCEEDED,
            "The job was active for longer than activeDeadlineSeconds "
            f"({parent.spec.active_deadline_seconds} s): raise it or use more workers, then retry "
            "it (annotation transcription.dev/retry); finished work is kept",
        )
    failure = failures.of_job(job, seen.pods)
    return Verdict(Phase.FAILED, failure.reason, failure.message)


def _suspended(seen: Observation) -> Verdict:
    stopping = sum(1 for pod in seen.pods if pod.phase in ("Pending", "Running"))
    still = f"; {plural(stopping, 'pod')} still stopping" if stopping else ""
    return Verdict(
        Phase.SUSPENDED,
        "Suspended",
        "Suspended: set spec.suspend to false (kubectl transcribe resume) to resume from the last "
        f"checkpoint{still}",
    )


def _queued(position: int) -> Verdict:
    return Verdict(
        Phase.QUEUED,
        "Queued",
        f"Waiting: the limit of active jobs is reached (position {position})",
    )


def _not_admitted(parent: TranscriptionJob) -> Verdict:
    if parent.spec.queue_name is None:
        return Verdict(Phase.PENDING, "WorkersStarting", "The Job is starting")
    return Verdict(
        Phase.QUEUED,
        "AwaitingAdmission",
        f"Waiting: Kueue has not admitted the job to queue {parent.spec.queue_name}; see kubectl "
        "describe workloads",
    )


def _works(pod: ObservedPod) -> bool:
    """Running, or ended in a way that the Job controller has yet to make its verdict of."""
    return pod.running or pod.exit_code == 0 or failures.is_final(pod)


def _pending(
    parent: TranscriptionJob, seen: Observation, job: ObservedJob, now: datetime
) -> Verdict:
    problem = failures.of_pending(seen.pods) or seen.refused
    has_worked = worked(parent, seen)
    if has_worked and problem is None:
        return Verdict(Phase.RUNNING, "WorkerRestarting", _restarting(seen))
    if not has_worked and _deadline_passed(parent, job, now):
        return _given_up(parent, problem)
    if problem:
        return Verdict(Phase.PENDING, problem.reason, problem.message)
    return Verdict(Phase.PENDING, "WorkersStarting", "Waiting for the workers' pods to start")


def _deadline_passed(parent: TranscriptionJob, job: ObservedJob | None, now: datetime) -> bool:
    begin = pending_since(parent, job)
    allowed = timedelta(seconds=parent.spec.pending_deadline_seconds)
    return begin is not None and now >= begin + allowed


def _given_up(parent: TranscriptionJob, problem: Failure | None) -> Verdict:
    waited = parent.spec.pending_deadline_seconds
    reason = problem.reason if problem else "PendingDeadlineExceeded"
    why = f": {problem.message}" if problem else ""
    return Verdict(Phase.FAILED, reason, f"No worker could start within {waited} s{why}")


def _restarting(seen: Observation) -> str:
    failed = [failure for pod in seen.pods if (failure := failures.of_pod(pod))]
    why = f", after: {failed[-1].message}" if failed else ""
    return f"Waiting for a new worker{why}"


def _delivered(parent: TranscriptionJob, seen: Observation) -> str:
    words = last_words(seen)
    if words is None:
        return NO_DETAILS.format(manifest=manifest_uri(parent.spec.output.uri))
    output, counts = parent.spec.output.uri, _counts(words)
    recordings = words.items - words.items_skipped
    if recordings == 0:
        return f"Nothing new to transcribe, {', '.join(counts)}, in {output}"
    length = f"{_duration(words.audio_seconds)} of audio"
    if words.items == 1 and not counts:
        return f"Transcribed {length} to {output}"
    done = plural(recordings, "recording")
    if words.items_failed:
        done = f"{recordings - words.items_failed} of {done}"
    parts = [length, *counts] if words.items == 1 else [done, length, *counts]
    return f"Transcribed {', '.join(parts)}, to {output}"


def _counts(words: Result) -> list[str]:
    """What a reader should know beside the length: only what there is of it."""
    counted = (
        (words.items_failed, "recording", " failed"),
        (words.items_skipped, "file", " skipped"),
        (words.warnings, "warning", ""),
        (words.suspect_segments, "suspect segment", ""),
    )
    return [plural(number, noun) + verb for number, noun, verb in counted if number]


def plural(number: int, noun: str) -> str:
    """1 file, 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"
