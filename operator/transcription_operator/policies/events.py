"""What changed between two statuses -> the Event that ``kubectl describe`` shows. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transcription_api import GROUP
from transcription_api.status import Phase, Status
from transcription_api.transcriptionjob import Resource
from transcription_contract.reason import NORMAL, WARNING
from transcription_contract.reasons import REASONS
from transcription_operator.policies.wording import shortened

_NOTE_BYTES = 1024
_INSTANCE_LENGTH = 128
"""The API server's limits."""


@dataclass(frozen=True)
class EventDraft:
    """Something worth an Event; ``kind`` is Normal or Warning."""

    kind: str
    reason: str
    message: str


def of_change(before: Status, after: Status) -> EventDraft | None:
    """The Event that a change of status deserves: problems, and the end.

    Progress is in the status alone: an Event for each step of each job would be half of what the
    operator writes.
    """
    if (before.phase, before.reason) == (after.phase, after.reason):
        return None
    reason, message = after.reason or "", after.message or ""
    if after.phase is Phase.SUCCEEDED:
        return EventDraft(NORMAL, "Succeeded", message)
    if after.phase is Phase.FAILED:
        return EventDraft(WARNING, reason, message)
    known = REASONS.get(reason)
    kind = known.event if known else WARNING
    return EventDraft(kind, reason, message) if kind else None


def manifest(owner: Resource, draft: EventDraft, now: datetime, instance: str) -> dict[str, Any]:
    """The events.k8s.io/v1 Event to create.

    Args:
        owner: what it is about.
        draft: its content.
        now: when that happened; in UTC.
        instance: the operator's identity.
    """
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name_of(owner, now), "namespace": owner.metadata.namespace},
        "eventTime": micro_time(now),
        "regarding": owner.reference(),
        "type": draft.kind,
        "reason": draft.reason,
        "action": "Reconcile",
        "note": shortened(draft.message, _NOTE_BYTES),
        "reportingController": f"{GROUP}/operator",
        "reportingInstance": instance[:_INSTANCE_LENGTH],
    }


def series_patch(count: int, last: datetime) -> dict[str, Any]:
    """The merge patch of an Event that occurred again; all other fields are immutable."""
    return {"series": {"count": count, "lastObservedTime": micro_time(last)}}


def name_of(owner: Resource, began: datetime) -> str:
    """The name of an Event, as client-go makes it: the object's, and the time in hexadecimal."""
    stem = owner.metadata.name[:200].rstrip("-.")
    return f"{stem}.{round(began.timestamp() * 1_000_000):x}"


def micro_time(moment: datetime) -> str:
    """metav1.MicroTime of a moment in UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
