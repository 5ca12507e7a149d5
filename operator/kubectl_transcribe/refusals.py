"""What the API server answers in place of what it was asked for -> the error to end with. Pure."""

import json
from typing import Any

from kubectl_transcribe.errors import (
    ForbiddenError,
    NoResourceError,
    NotFoundError,
    QuotaError,
    RefusedError,
    UnreachableError,
)
from kubectl_transcribe.findings import HOW_TO_INSTALL
from transcription_api import VERSION

Json = dict[str, Any]


def refusal(status: int, content: bytes) -> Exception:
    """The error that an answer stands for, with the API server's own sentence."""
    try:
        said: Json = json.loads(content)
        message = str(said["message"])
    except (ValueError, KeyError, TypeError):
        said, message = {}, content.decode(errors="replace").strip()
    if status == 401:
        return ForbiddenError(
            "the API server does not know you: log in again, or name another --context"
        )
    if status == 403 and "exceeded quota" in message:
        return QuotaError(f"{message}; delete what is over, or ask for a larger quota")
    if status == 403:
        return ForbiddenError(f"{message}; ask the cluster's administrator for that right")
    if status == 404 and not said:
        return NoResourceError(
            f"the cluster has no TranscriptionJobs of {VERSION}: install the operator, `"
            f"{HOW_TO_INSTALL}`, or see what is wrong by `kubectl transcribe doctor`"
        )
    if status == 404:
        return NotFoundError(message)
    if status in (400, 409, 422):
        taken = said.get("reason") == "AlreadyExists"
        advice = ": choose another --name, or cancel that one first" if taken else ""
        return RefusedError(message + advice)
    return UnreachableError(f"the API server answers {status} ({message}): try again later")
