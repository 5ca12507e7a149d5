"""Names and labels of what the operator makes.

Guarantees: a child's name is a valid Job name whose pods' host names (name-index) fit a DNS label;
it is a function of the owner's uid and the attempt alone, so making it twice is impossible; and it
begins with the owner's name, for people.
"""

import hashlib
import re

from transcription_api import GROUP, OWNER_UID_LABEL

_DNS_LABEL_LENGTH = 63
_INDEX_ROOM = len("-999")
_HASH_LENGTH = 8

MANAGED_BY = "transcription-operator"
COMPONENT = "transcriber"
CONTAINER = "transcriber"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
OWNER_NAME_ANNOTATION = f"{GROUP}/job-name"
SUSPENDED_ANNOTATION = f"{GROUP}/suspended"
"""On a Job: the operator has suspended it, so that it may also resume it."""

ENDED_ANNOTATION = f"{GROUP}/ended"
"""On a pod: the operator has written its last phase. The kubelet undoes a phase that others write,
unless something else of the pod changes with it: then it stops the containers."""

INDEX_ANNOTATION = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES_ANNOTATION = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED_FAILURES_ANNOTATION = "batch.kubernetes.io/job-index-ignored-failure-count"
"""The Job controller's, on each pod of a worker: the failures before it that count against the
limit on retries, and (ignored) those that do not."""


def child_name(owner_name: str, uid: str, attempt: int) -> str:
    """The Job of one attempt, such as standup-1f0c9a3e-1."""
    digest = hashlib.sha256(uid.encode()).hexdigest()[:_HASH_LENGTH]
    suffix = f"-{digest}-{attempt}"
    room = _DNS_LABEL_LENGTH - _INDEX_ROOM - len(suffix)
    # A custom resource's name may hold dots and 253 characters; a host name may not.
    stem = re.sub(r"[^a-z0-9-]", "-", owner_name)[:room].strip("-") or "job"
    return stem + suffix


def labels(uid: str) -> dict[str, str]:
    """The labels of every child; the uid finds them."""
    return {
        "app.kubernetes.io/name": COMPONENT,
        "app.kubernetes.io/managed-by": MANAGED_BY,
        OWNER_UID_LABEL: uid,
    }


def annotations(owner_name: str) -> dict[str, str]:
    """The annotations of every child: its owner's name, for people."""
    return {OWNER_NAME_ANNOTATION: owner_name}


def owned_by(uid: str) -> str:
    """The selector that finds an owner's children."""
    return f"{OWNER_UID_LABEL}={uid}"
