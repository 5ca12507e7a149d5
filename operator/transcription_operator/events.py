"""What changed between two statuses -> the Events that ``kubectl describe`` shows. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transcription_operator.api.status import Phase, Status, wire_time
from transcription_operator.api.transcriptionjob import TranscriptionJob

_MESSAGE_LENGTH = 1024
"""The API server's limit for an Event's message."""


@dataclass(frozen=True)
class EventDraft:
    """One thing worth telling: ``kind`` is Normal or Warning."""

    kind: str
    reason: str
    message: str


def of_change(before: Status, after: Status) -> list[EventDraft]:
    """The Events that a change of status deserves, in order."""
    drafts = []
    if after.job_name and after.job_name != before.job_name:
        drafts.append(EventDraft("Normal", "JobCreated", f"Created Job {after.job_name}"))
    if (before.phase, before.reason) != (after.phase, after.reason):
        drafts.extend(_of_phase(after))
    return drafts


def _of_phase(after: Status) -> list[EventDraft]:
    reason, message = after.reason or "", after.message or ""
    if after.phase is Phase.SUCCEEDED:
        return [EventDraft("Normal", "Succeeded", message)]
    if after.phase is Phase.FAILED:
        return [EventDraft("Warning", reason, message)]
    if reason == "Transcribing":
        return [EventDraft("Normal", "Started", "A worker is transcribing")]
    if reason in ("WorkersStarting", "JobMissing"):
        return []
    return [EventDraft("Warning", reason, message)]


def manifest(parent: TranscriptionJob, draft: EventDraft, now: datetime) -> dict[str, Any]:
    """The core/v1 Event to create."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "generateName": f"{parent.metadata.name[:200]}.",
            "namespace": parent.metadata.namespace,
        },
        "involvedObject": parent.reference(),
        "type": draft.kind,
        "reason": draft.reason,
        "message": draft.message[:_MESSAGE_LENGTH],
        "source": {"component": "transcription-operator"},
        "firstTimestamp": wire_time(now),
        "lastTimestamp": wire_time(now),
        "count": 1,
    }
