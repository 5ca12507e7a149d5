"""The namespace's latest TranscriptionJobs -> where to look for trouble, and theirs. Pure."""

from collections.abc import Sequence
from shlex import quote
from typing import Any

from kubectl_transcribe.findings import Finding, note, ok, wrong
from transcription_api.status import Phase
from transcription_contract.locations import ObjectUri
from transcription_contract.reason import plain_text
from transcription_contract.reasons import REASONS, canonical, is_problem

Json = dict[str, Any]

_RECENT = 20
_WAITING, _FAILED = 5, 3
"""So many of them are told one by one."""


def latest(jobs: Sequence[Json]) -> list[Json]:
    """The latest TranscriptionJobs, the youngest last."""
    return sorted(jobs, key=lambda job: str(job["metadata"]["creationTimestamp"]))[-_RECENT:]


def buckets(jobs: Sequence[Json]) -> set[str]:
    """That TranscriptionJobs read and write."""
    uris = [job["spec"][part]["uri"] for job in jobs for part in ("source", "output")]
    return {uri.bucket for uri in map(ObjectUri.parse, uris) if uri.scheme == "s3"}


def keyless(jobs: Sequence[Json]) -> Json | None:
    """The youngest one's objectStore, where all of them do without a Secret."""
    stores: list[Json] = [job["spec"].get("objectStore", {}) for job in jobs]
    if not stores or any("secretName" in each or "endpoint" not in each for each in stores):
        return None
    return stores[-1]


def of_jobs(jobs: Sequence[Json], namespace: str) -> list[Finding]:
    """Which of the latest jobs cannot begin, and why; the failures are only worth knowing."""
    waiting = [job for job in reversed(jobs) if _waits(job)]
    failed = [job for job in reversed(jobs) if _status(job, "phase") == Phase.FAILED]
    found = [_of_waiting(job, namespace) for job in waiting[:_WAITING]]
    if more := len(waiting) - len(found):
        found.append(note("jobs", f"{more} more wait", f"kubectl transcribe get -n {namespace}"))
    found = found or [ok("jobs", "none of the latest is held up")]
    return found + [_of_failed(job, namespace) for job in failed[:_FAILED]]


def _waits(job: Json) -> bool:
    reason = _status(job, "reason")
    return _status(job, "phase") == Phase.PENDING and reason != "" and is_problem(reason)


def _of_waiting(job: Json, namespace: str) -> Finding:
    name, reason = job["metadata"]["name"], _status(job, "reason")
    mend = f"{advice_on(reason)}Details: kubectl describe tj {quote(name)} -n {quote(namespace)}"
    return wrong("jobs", f"{name} waits ({reason}): {_status(job, 'message')}", mend)


def _of_failed(job: Json, namespace: str) -> Finding:
    name, reason = job["metadata"]["name"], _status(job, "reason")
    mend = f"{advice_on(reason)}Then: kubectl transcribe retry {quote(name)} -n {quote(namespace)}"
    return note("jobs", f"{name} failed ({reason}): {_status(job, 'message')}", mend)


def advice_on(reason: str) -> str:
    """What to do about a reason, in front of a command; empty for an unknown word."""
    known = REASONS.get(canonical(reason))
    return f"{plain_text(known.advice)} " if known else ""


def _status(job: Json, field: str) -> str:
    return str(job.get("status", {}).get(field) or "")
