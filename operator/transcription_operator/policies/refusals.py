"""Jobs that the API server refuses, and pods that it refuses the Job controller.

A quota, a LimitRange, Pod Security, a policy or a webhook may change its mind, so the job waits.
We create a refused Job again after a backoff. Refused pods are the Job controller's to create: it
retries at least once a minute (its MaxJobApiBackOff), so they need no help from us, and it reports
each refusal in a FailedCreate Event of the Job.

An error that says nothing about the Job, such as of an API server without a leader, is no refusal:
the status names it only if it lasts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from transcription_contract.termination import Failure
from transcription_operator.policies.observation import (
    Observation,
    ObservedJob,
    ObservedPod,
    parse_time,
)

_FIRST_BACKOFF = timedelta(seconds=15)
_LONGEST_BACKOFF = timedelta(minutes=5)
_FIRST_BACKOFF_IN_TROUBLE = timedelta(seconds=1)
_LONGEST_BACKOFF_IN_TROUBLE = timedelta(minutes=1)
_MOST_DOUBLINGS = 6
_TROUBLE_LASTS = timedelta(minutes=1)
PROBE_EVERY = timedelta(minutes=1)
"""A refusal mostly concerns all of a namespace: one of its refused Jobs is tried that often."""

SPACING = timedelta(seconds=1)
"""Time between two retries in a namespace, however many of its Jobs are refused."""

_REASONS = (
    ("exceeded quota", "QuotaExceeded"),
    ("violates PodSecurity", "PodSecurityViolation"),
    ("admission webhook", "AdmissionRefused"),
    ("ValidatingAdmissionPolicy", "AdmissionRefused"),
)
_INVALID = 422
_REFUSED = (400, 403, _INVALID)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_WEBHOOK_FAILED = 'failed calling webhook "'
"""A server error, too, but it names what keeps the Job from being created."""

BEING_CREATED = Failure(reason="JobMissing", message="The Job is being created")

_DENIAL = re.compile(r'admission webhook "|\S+ "[^"]*" is forbidden: ')
_OWN_VALIDATION = re.compile(r'\S+ "[^"]*" is invalid: ')
"""How kube-apiserver begins its messages. An admission policy's denial has the HTTP status that its
author chose, 422 by default, and a webhook's any from 400 on: only the words tell them apart."""

_CLOCK_RESOLUTION = timedelta(seconds=1)
_AGGREGATED = "(combined from similar events): "
_POD_NAME = re.compile(r"\b([a-z0-9][a-z0-9-]*)-\d+-[a-z0-9]{5}\b")
_MESSAGE_CHARACTERS = 2048
"""Anybody may create Events, with messages of a megabyte."""

_TRUNCATED = 50
"""A Job's name is cut in its pods' names to make room for the index and the random suffix."""

_SAME_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class PodRefusal:
    """A FailedCreate Event of a Job.

    ``job``: the Job's namespace/name. ``message``: without the pod's name, which differs each time.
    """

    job: str
    job_uid: str
    message: str
    at: datetime | None = None
    version: int = field(default=0, compare=False)

    @classmethod
    def parse(cls, event: dict[str, Any]) -> "PodRefusal | None":
        """A core/v1 Event as the API server returns it; None for one of no Job by name, or of no
        time that Python has: the Job controller writes neither."""
        about, said = event["involvedObject"], (event.get("message") or "")[:_MESSAGE_CHARACTERS]
        name = about.get("name")
        try:
            at = parse_time(event.get("lastTimestamp") or event.get("eventTime"))
        except ValueError:
            return None
        if not name:
            return None
        return cls(
            job=f"{event['metadata']['namespace']}/{name}",
            job_uid=about.get("uid", ""),
            message=_POD_NAME.sub(partial(_job_name_of, name), said.removeprefix(_AGGREGATED)),
            at=at,
            version=int(event["metadata"]["resourceVersion"]),
        )

    @property
    def failure(self) -> Failure:
        """Why the Job controller could not create a pod."""
        reason = next((reason for part, reason in _REASONS if part in self.message), "PodRefused")
        return Failure(reason=reason, message=self.message)

    def is_news(self, before: "PodRefusal | None", job: ObservedJob) -> bool:
        """Whether it should be shown in place of an earlier one.

        The same reason is repeated with other numbers, such as what is used of a quota, at every
        try of every Job of a namespace; they are refreshed every ten minutes.
        """
        if before is None or self.failure.reason != before.failure.reason:
            return True
        if self.at is None or before.at is None or (job.started and before.at < job.started):
            return self.version > before.version
        return self.at - before.at >= _SAME_FOR


def _job_name_of(name: str, pod: re.Match[str]) -> str:
    return name if pod[1].startswith(name[:_TRUNCATED]) else pod[0]


def of_pods(
    job: ObservedJob, pods: tuple[ObservedPod, ...], latest: PodRefusal | None
) -> Failure | None:
    """Why a Job has no pods; None if it has some, needs none, or has been resumed since."""
    if latest is None or pods or job.suspended or job.finished:
        return None
    if job.started and latest.at and latest.at < job.started - _CLOCK_RESOLUTION:
        return None
    return latest.failure


def of_job(status: int, message: str) -> Failure | None:
    """Why the API server refused a Job; None if the error says nothing about the Job.

    Args:
        status: the HTTP status.
        message: the API server's sentence.
    """
    if status in _REFUSED or _WEBHOOK_FAILED in message or is_denial(message):
        return Failure(reason="JobRefused", message=message)
    return None


def is_trouble(status: int, message: str) -> bool:
    """Whether the API server failed to create a Job, and said nothing about the Job."""
    return (status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR) and not of_job(status, message)


def of_trouble(message: str, lasted: timedelta) -> Failure | None:
    """What the status says when the API server has failed for so long; None for nothing yet."""
    if lasted < _TROUBLE_LASTS:
        return None
    return Failure(
        reason="ApiServerUnavailable",
        message=f"The API server has failed for over a minute to create the Job ({message}): the "
        "operator tries again; check the health of the control plane, and its admission webhooks",
    )


def is_denial(message: str) -> bool:
    """Whether admission (a quota, a policy, a webhook) denied a request."""
    return _DENIAL.match(message) is not None


def is_final(status: int, message: str) -> bool:
    """Whether the API server will always refuse this Job: it is not a valid one."""
    return status == _INVALID and _OWN_VALIDATION.match(message) is not None


def name_taken(namespace: str, name: str) -> Failure:
    """The Job's name is in use."""
    return Failure(
        reason="NameTaken",
        message=f"Job {name} exists and does not belong to this TranscriptionJob: delete it "
        f"(kubectl delete job -n {namespace} {name}), or create the TranscriptionJob under another "
        "name",
    )


def backoff(tries: int) -> timedelta:
    """The time until a Job is created again that was refused ``tries`` times."""
    return _doubled(_FIRST_BACKOFF, tries, _LONGEST_BACKOFF)


def backoff_in_trouble(tries: int) -> timedelta:
    """Likewise after ``tries`` errors that say nothing about the Job."""
    return _doubled(_FIRST_BACKOFF_IN_TROUBLE, tries, _LONGEST_BACKOFF_IN_TROUBLE)


def _doubled(first: timedelta, tries: int, longest: timedelta) -> timedelta:
    return min(longest, first * (1 << min(tries - 1, _MOST_DOUBLINGS)))


def waits(seen: Observation) -> Iterator[float]:
    """Seconds until a refused Job is created again."""
    if seen.again is not None:
        yield seen.again
