"""What the operator can do about a TranscriptionJob; runtime/executor.py does it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CreateJob:
    """``active_deadline``: seconds left until activeDeadlineSeconds, if it is set."""

    active_deadline: int | None


@dataclass(frozen=True)
class ChangeJob:
    """Set fields of a Job's spec."""

    name: str
    uid: str
    spec: dict[str, bool | int | None]


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job with its pods."""

    name: str
    uid: str


@dataclass(frozen=True)
class ReleasePod:
    """Mark a pod on a lost node as failed: its kubelet never will, and its Job waits for it (a Job
    with a podFailurePolicy replaces only pods that have ended)."""

    name: str


@dataclass(frozen=True)
class DeleteOwner:
    """Delete the TranscriptionJob."""


Action = CreateJob | ChangeJob | DeleteJob | ReleasePod | DeleteOwner
