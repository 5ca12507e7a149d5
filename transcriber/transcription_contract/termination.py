"""A worker's result: a small JSON text in the pod's termination message.

The kubelet keeps the last 4096 bytes of it
(https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/), which
would cut the head off a longer JSON text: so it is built to fit, by leaving out whole entries.
"""

from pydantic import Field, ValidationError

from transcription_contract.base import Model
from transcription_contract.options import OutputFormat

TERMINATION_PATH = "/dev/termination-log"
MAX_BYTES = 4000
_ELLIPSIS = "…"


class ResultFile(Model):
    """One delivered transcript."""

    format: OutputFormat
    uri: str = Field(description="URI of the object.")
    bytes: int = Field(description="Size in bytes.")


class Failure(Model):
    """Why a worker failed: a reason in PascalCase, and a message that names the object."""

    reason: str
    message: str


class ItemFailure(Failure):
    """Why one recording of many has no transcript."""

    item: str = Field(description="URI of the recording.")


MAX_FAILURES = 10
"""Failures listed here; manifest.json lists all of them."""


class Result(Model):
    """Result of a worker that completed the job.

    ``language``: the recording's, or that of most recordings. ``files``: of a single recording.
    ``items``: objects of the source, of which ``items_skipped`` are no media, or were delivered
    before (existing: skip). ``warnings``, ``suspect_segments``: number over all recordings.
    """

    language: str
    audio_seconds: int
    model_sha256: str
    items: int = 1
    items_failed: int = 0
    items_skipped: int = 0
    warnings: int = 0
    suspect_segments: int = 0
    files: tuple[ResultFile, ...] = ()
    failures: tuple[ItemFailure, ...] = ()


class Termination(Model):
    """A result or an error; neither if another worker has delivered the job."""

    result: Result | None = None
    error: Failure | None = None


def encode(termination: Termination) -> str:
    """JSON of at most MAX_BYTES bytes.

    Drops failures, then files, from the end, and shortens the message of an error.
    """
    while len(text := termination.model_dump_json(by_alias=True, exclude_none=True).encode()) > (
        MAX_BYTES
    ):
        termination = _smaller(termination, excess=len(text) - MAX_BYTES)
    return text.decode()


def decode(text: str | None) -> Termination | None:
    """The termination message of a pod, or None if it has none, or one of another program."""
    if not text:
        return None
    try:
        return Termination.model_validate_json(text)
    except ValidationError:
        return None


def _smaller(termination: Termination, excess: int) -> Termination:
    result, error = termination.result, termination.error
    if result and result.failures:
        fewer = result.model_copy(update={"failures": result.failures[:-1]})
        return termination.model_copy(update={"result": fewer})
    if result and result.files:
        fewer = result.model_copy(update={"files": result.files[:-1]})
        return termination.model_copy(update={"result": fewer})
    if error and len(error.message) > len(_ELLIPSIS):
        # A character is at least one byte of JSON, so this removes enough or comes again.
        keep = max(0, len(error.message) - excess - len(_ELLIPSIS.encode()))
        shorter = error.model_copy(update={"message": error.message[:keep] + _ELLIPSIS})
        return termination.model_copy(update={"error": shorter})
    raise ValueError("a termination message without files or text exceeds the kubelet's limit")
