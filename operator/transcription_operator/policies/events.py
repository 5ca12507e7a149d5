"""What changed between two statuses -> the Events that ``kubectl describe`` shows. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transcription_api.status import Phase, Status, wire_time
from transcription_api.transcriptionjob import TranscriptionJob

_MESSAGE_LENGTH = 1024
"""The API server's limit for an Event's message."""

_UNTOLD = frozenset(
    {"Transcribing", "WorkersStarting", "JobMissing", "Queued", "AwaitingAdmission"}
)


@dataclass(frozen=True)
class EventDraft:
    """One thing worth telling: ``kind`` is Normal or Warning."""

    kind: str
    reason: str
    message: str


def of_change(before: Status, after: Status) -> list[EventDraft]:
    """The Events that a change of status deserves: what went wrong, and the end.

    That all goes well is told by the status; an Event for each step of each job would be half of
    what the operator writes.
    """
    if (before.phase, before.reason) == (after.phase, after.reason):
        return []
    reason, message = after.reason or "", after.message or ""
    if after.phase is Phase.SUCCEEDED:
        return [EventDraft("Normal", "Succeeded", message)]
    if after.phase is Phase.SUSPENDED or reason == "Retrying":
        return [EventDraft("Normal", reason, message)]
    if after.phase is Phase.FAILED or reason not in _UNTOLD:
        return [EventDraft("Warning", reason, message)]
    return []


def manifest(owner: TranscriptionJob, draft: EventDraft, now: datetime) -> dict[str, Any]:
    """The core/v1 Event to create."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "generateName": f"{owner.metadata.name[:200]}.",
            "namespace": owner.metadata.namespace,
        },
        "involvedObject": owner.reference(),
        "type": draft.kind,
        "reason": draft.reason,
        "message": draft.message[:_MESSAGE_LENGTH],
        "source": {"component": "transcription-operator"},
        "firstTimestamp": wire_time(now),
        "lastTimestamp": wire_time(now),
        "count": 1,
    }
