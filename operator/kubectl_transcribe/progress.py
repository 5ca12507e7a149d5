"""How far a TranscriptionJob is, in one line, and whether it is over. Pure."""

from kubectl_transcribe.terminal import line
from transcription_api.progress import Progress
from transcription_api.status import EXACT_POSITIONS, Phase
from transcription_api.transcriptionjob import TranscriptionJob

_BAR = 24
_RESTARTING = "WorkerRestarting"
"""Between two workers: why the last one ended is worth more than how far it came."""


def is_over(job: TranscriptionJob) -> bool:
    """Whether nothing more will happen: finished, and no retry asked that has not begun."""
    return bool(job.status.phase and job.status.phase.finished) and job.retry_asked is None


def phase_of(job: TranscriptionJob) -> str:
    """Its phase, for a message."""
    return job.status.phase.value if job.status.phase else "not begun"


def no_result_yet(job: TranscriptionJob) -> str:
    """Why a job that has not succeeded has no transcripts, and what brings them nearer."""
    name, status = job.metadata.name, job.status
    here = f"{name} -n {job.metadata.namespace}"
    if status.phase is Phase.FAILED and is_over(job):
        return (
            f"TranscriptionJob {name} failed ({status.reason}): {status.message}; "
            f"`kubectl transcribe retry {here}` tries it again when that is mended"
        )
    if status.phase is Phase.SUSPENDED:
        advice = f"`kubectl transcribe resume {here}` lets it go on"
    else:
        advice = (
            "its transcripts are there when it has succeeded; "
            f"`kubectl transcribe follow {here}` waits for that"
        )
    return f"TranscriptionJob {name} is {phase_of(job)}: {advice}"


def no_pods(job: TranscriptionJob) -> str:
    """Why a job has no workers."""
    name, here = job.metadata.name, f"{job.metadata.name} -n {job.metadata.namespace}"
    if job.status.phase is Phase.SUSPENDED:
        why = f"it is suspended; `kubectl transcribe resume {here}` lets it go on"
    else:
        why = "it has not begun, or they have been removed; "
        why += f"`kubectl describe tj {here}` says more"
    return f"TranscriptionJob {name} has no pods: {why}"


def shortfall(job: TranscriptionJob) -> list[str]:
    """Of a job of many recordings that succeeded: a line for each that has no transcript."""
    status = job.status
    told = [f"{each.item} ({each.reason}): {each.message}" for each in status.failures]
    failed = status.result.items_failed if status.result else None
    if status.result and (more := (failed or 0) - len(told)) > 0:
        told.append(f"{more} more recordings: {status.result.manifest_uri} names them")
    return [line(f"no transcript of {each}") for each in told]


def sentence(job: TranscriptionJob) -> str:
    """Its name, its phase, and what there is to say about that."""
    status = job.status
    parts = [job.metadata.name, status.phase.value if status.phase else "Waiting for the operator"]
    progress = status.progress or Progress()
    begun = status.phase is Phase.RUNNING and progress.total_seconds > 0
    if begun:
        parts += _running(progress)
    if status.phase is Phase.QUEUED and status.queue_position:
        parts.append(_in_the_queue(status.queue_position))
    if status.message and (not begun or status.reason == _RESTARTING):
        parts.append(status.message)
    return line("  ".join(parts))


def _in_the_queue(position: int) -> str:
    exact = position <= EXACT_POSITIONS
    return (
        f"number {position} in the queue" if exact else f"among the first {position} in the queue"
    )


def _running(progress: Progress) -> list[str]:
    full = progress.percent * _BAR // 100
    parts = [f"[{'#' * full}{'.' * (_BAR - full)}] {progress.percent:3d}%"]
    if progress.items > 1:
        parts.append(f"{progress.items_done} of {progress.items} recordings")
    if progress.items_failed:
        parts.append(f"{progress.items_failed} failed")
    if progress.estimated_remaining_seconds is not None:
        parts.append(f"{duration(progress.estimated_remaining_seconds)} left")
    if progress.speed:
        parts.append(f"at {progress.speed}")
    return parts


def duration(seconds: int) -> str:
    """As kubectl writes ages: 45s, 3m20s, 2h5m."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    pairs = [(hours, "h"), (minutes, "m"), (rest, "s")]
    said = [f"{amount}{unit}" for amount, unit in pairs if amount]
    return "".join(said[:2]) or "0s"
