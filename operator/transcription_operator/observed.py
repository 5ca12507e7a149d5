"""What the operator sees of a job's children: the few fields that decisions need. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from transcription_contract.termination import Failure
from transcription_operator.job import CONTAINER

Manifest = dict[str, Any]


def parse_time(text: str | None) -> datetime | None:
    """metav1.Time to an aware datetime."""
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class ObservedPod:
    """One pod of a Job.

    ``waiting`` is the (reason, message) of a container that cannot start, ``unscheduled`` the
    scheduler's; ``exit_code``, ``ended`` (the reason, such as OOMKilled) and ``last_words`` are a
    terminated container's.
    """

    name: str
    phase: str
    owner_uid: str | None = None
    ip: str | None = None
    reason: str | None = None
    message: str | None = None
    running: bool = False
    deleting: bool = False
    waiting: tuple[str, str] | None = None
    unscheduled: tuple[str, str] | None = None
    exit_code: int | None = None
    ended: str | None = None
    last_words: str | None = None
    finished_at: datetime | None = None
    memory_limit: str | None = None

    @classmethod
    def parse(cls, pod: Manifest) -> "ObservedPod":
        """A Pod as the API server returns it."""
        status = pod.get("status", {})
        state = _container_state(status)
        ended = state.get("terminated", {})
        deleting = "deletionTimestamp" in pod["metadata"]
        return cls(
            name=pod["metadata"]["name"],
            phase=status.get("phase", "Pending"),
            owner_uid=_controller(pod["metadata"]),
            ip=status.get("podIP"),
            reason=status.get("reason"),
            message=status.get("message"),
            # A lost node leaves the container's last state behind, whatever became of the pod.
            running="running" in state and status.get("phase") == "Running" and not deleting,
            deleting=deleting,
            waiting=_words(state.get("waiting")),
            unscheduled=_unscheduled(status),
            exit_code=ended.get("exitCode"),
            ended=ended.get("reason"),
            last_words=ended.get("message"),
            finished_at=parse_time(ended.get("finishedAt")),
            memory_limit=_memory_limit(pod),
        )


@dataclass(frozen=True)
class ObservedJob:
    """The child Job; ``conditions`` maps the types that are True to their (reason, message)."""

    name: str
    uid: str
    owner_uid: str | None
    deleting: bool = False
    created: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, job: Manifest) -> "ObservedJob":
        """A Job as the API server returns it."""
        metadata, status = job["metadata"], job.get("status", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            owner_uid=_controller(metadata),
            deleting="deletionTimestamp" in metadata,
            created=parse_time(metadata.get("creationTimestamp")),
            started=parse_time(status.get("startTime")),
            completed=parse_time(status.get("completionTime")),
            conditions={
                c["type"]: (c.get("reason", ""), c.get("message", ""))
                for c in status.get("conditions", [])
                if c.get("status") == "True"
            },
        )

    @property
    def complete(self) -> bool:
        """The verdict is success; the last sibling may still be going."""
        return bool(self.conditions.keys() & {"Complete", "SuccessCriteriaMet"})

    @property
    def failed(self) -> bool:
        """The verdict is failure. Failed itself comes only after the last sibling is gone, which
        on a lost node is never."""
        return bool(self.conditions.keys() & {"Failed", "FailureTarget"})


@dataclass(frozen=True)
class Observation:
    """All that a decision is made from, besides the parent.

    ``refused``: why the API server did not take the Job.
    """

    job: ObservedJob | None = None
    pods: tuple[ObservedPod, ...] = ()
    refused: Failure | None = None


def _controller(metadata: Manifest) -> str | None:
    owners = metadata.get("ownerReferences", [])
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def _container_state(status: Manifest) -> Manifest:
    for container in status.get("containerStatuses", []):
        if container.get("name") == CONTAINER:
            state: Manifest = container.get("state", {})
            return state
    return {}


def _words(state: Manifest | None) -> tuple[str, str] | None:
    return (state.get("reason", ""), state.get("message", "")) if state else None


def _unscheduled(status: Manifest) -> tuple[str, str] | None:
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _words(condition)
    return None


def _memory_limit(pod: Manifest) -> str | None:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == CONTAINER:
            limit: str | None = container.get("resources", {}).get("limits", {}).get("memory")
            return limit
    return None
