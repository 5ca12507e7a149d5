"""What the operator can do about a TranscriptionJob; runtime/executor.py does it."""

from dataclasses import dataclass, field

SCALE = frozenset({"completions", "parallelism"})
"""The fields of a Job's spec that follow spec.workers."""


@dataclass(frozen=True)
class CreateJob:
    """``active_deadline``: seconds left until activeDeadlineSeconds, if it is set."""

    active_deadline: int | None


@dataclass(frozen=True)
class ChangeJob:
    """Set fields of a Job's spec, and its annotations; None removes one."""

    name: str
    uid: str
    spec: dict[str, bool | int | None]
    annotations: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job with its pods."""

    name: str
    uid: str


@dataclass(frozen=True)
class EndPod:
    """Write the final phase of a pod that does not end by itself, in its status. Its Job waits for
    that (a Job with a podFailurePolicy replaces only pods that have ended), and a kubelet that is
    there stops the containers that still run.

    ``phase``: Succeeded or Failed. ``reason``: explains the phase, before any exit code.
    """

    name: str
    phase: str
    message: str
    reason: str | None = None


@dataclass(frozen=True)
class MarkDeleted:
    """Give a pod that is being deleted the condition DisruptionTarget."""

    name: str


@dataclass(frozen=True)
class DeleteOwner:
    """Delete the TranscriptionJob, if it is still as it was observed."""


Action = CreateJob | ChangeJob | DeleteJob | EndPod | MarkDeleted | DeleteOwner
