"""How far a TranscriptionJob is, in one line, and whether it is over. Pure."""

from kubectl_transcribe.terminal import line
from transcription_operator.api.status import Phase, Progress
from transcription_operator.api.transcriptionjob import TranscriptionJob

_BAR = 24


def is_over(job: TranscriptionJob) -> bool:
    """Whether nothing more will happen: finished, and no retry asked that has not begun."""
    return bool(job.status.phase and job.status.phase.finished) and job.retry_asked is None


def phase_of(job: TranscriptionJob) -> str:
    """Its phase, for a message."""
    return job.status.phase.value if job.status.phase else "not begun"


def sentence(job: TranscriptionJob) -> str:
    """Its name, its phase, and what there is to say about that."""
    status = job.status
    parts = [job.metadata.name, status.phase.value if status.phase else "Waiting for the operator"]
    if status.phase is Phase.RUNNING:
        parts += _running(status.progress or Progress())
    if status.phase is Phase.QUEUED and status.queue_position:
        parts.append(f"number {status.queue_position} in the queue")
    if status.phase is not Phase.RUNNING and status.message:
        parts.append(status.message)
    return line("  ".join(parts))


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
