"""Jobs that the API server refuses, and pods that it refuses the Job controller.

A quota, a LimitRange, Pod Security, a policy or a webhook may change its mind, so the job waits and
is tried again.
"""

from collections.abc import Iterator
from datetime import datetime

from transcription_contract.termination import Failure
from transcription_operator.policies.observation import Observation, ObservedJob

AGAIN_SECONDS = 15.0
FIRST_LOOK_SECONDS = 3.0
"""Time that the Job controller gets for its pods before its refusals are looked up."""

_REASONS = (
    ("exceeded quota", "QuotaExceeded"),
    ("violates PodSecurity", "PodSecurityViolation"),
    ("admission webhook", "AdmissionRefused"),
    ("ValidatingAdmissionPolicy", "AdmissionRefused"),
)
_INVALID = 422
_REFUSED = (400, 403)
_SERVER_ERROR = 500
"""A webhook that does not answer, too. Had the Job been made after all, the next try finds it."""


def of_pod(message: str) -> Failure:
    """Why the Job controller could make no pod, from its FailedCreate Event."""
    reason = next((reason for part, reason in _REASONS if part in message), "PodRefused")
    return Failure(reason=reason, message=message)


def of_job(status: int, message: str) -> Failure | None:
    """Why the API server refused a Job, by its HTTP status; None when it says nothing about it."""
    if status not in _REFUSED and status < _SERVER_ERROR:
        return None
    return Failure(reason="JobRefused", message=message)


def is_final(status: int) -> bool:
    """Whether the API server will always refuse this Job."""
    return status == _INVALID


def may_be_refused(job: ObservedJob | None, now: datetime) -> bool:
    """Whether a Job without pods has had time to make some."""
    if job is None or job.suspended or job.finished:
        return False
    begin = job.started or job.created
    return begin is not None and (now - begin).total_seconds() >= FIRST_LOOK_SECONDS


def waits(seen: Observation) -> Iterator[float]:
    """Seconds until a refusal should be looked up again."""
    if seen.refused:
        yield AGAIN_SECONDS
    elif seen.job and not seen.pods and not seen.job.suspended:
        yield FIRST_LOOK_SECONDS
