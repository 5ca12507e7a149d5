"""What the operator sees of a job's children: the few fields that decisions need. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from transcription_api import GROUP, KIND
from transcription_contract.termination import Failure
from transcription_operator.policies import names

Manifest = dict[str, Any]

_JOB = ("batch", "Job")
_TRANSCRIPTION_JOB = (GROUP, KIND)


def parse_time(text: str | None) -> datetime | None:
    """metav1.Time to an aware datetime."""
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """One pod of a Job.

    ``owner``: the TranscriptionJob that its annotation names, as namespace/name. ``owner_uid``: of
    the Job that controls it; only a Job of the pod's own namespace may be looked up by it.
    ``waiting`` is the (reason, message) of a container that cannot start, ``unscheduled`` the
    scheduler's; ``exit_code``, ``ended`` (the reason, such as OOMKilled) and ``last_words`` are a
    terminated container's. ``still_running``: the containers that run on after ours has ended.
    ``deletion``: when it has to be gone, its grace period included. ``disruption``: the reason of
    its condition DisruptionTarget. ``index``: its worker's number. ``failures``, ``interruptions``:
    how many pods of that worker came before it that count against the limit on retries, and that
    do not.
    """

    name: str
    phase: str
    version: int = field(default=0, compare=False)
    owner: str | None = None
    owner_uid: str | None = None
    node: str | None = None
    ip: str | None = None
    reason: str | None = None
    message: str | None = None
    running: bool = False
    deletion: datetime | None = None
    disruption: str | None = None
    index: int | None = None
    failures: int = 0
    interruptions: int = 0
    waiting: tuple[str, str] | None = None
    unscheduled: tuple[str, str] | None = None
    exit_code: int | None = None
    ended: str | None = None
    last_words: str | None = None
    finished_at: datetime | None = None
    still_running: tuple[str, ...] = ()
    memory_limit: str | None = None

    @classmethod
    def parse(cls, pod: Manifest) -> "ObservedPod":
        """A Pod as the API server returns it."""
        status = pod.get("status", {})
        state = _container_state(status)
        ended = state.get("terminated", {})
        metadata = pod["metadata"]
        annotations = metadata.get("annotations", {})
        deletion = parse_time(metadata.get("deletionTimestamp"))
        return cls(
            name=metadata["name"],
            phase=status.get("phase", "Pending"),
            version=_version(metadata),
            owner=owner_key(metadata),
            owner_uid=_controller(metadata, _JOB),
            node=pod.get("spec", {}).get("nodeName"),
            ip=status.get("podIP"),
            reason=status.get("reason"),
            message=status.get("message"),
            # A lost node leaves the container's last state behind, whatever became of the pod.
            running="running" in state and status.get("phase") == "Running" and deletion is None,
            deletion=deletion,
            disruption=_disruption(status),
            index=_number(annotations, names.INDEX_ANNOTATION),
            failures=_number(annotations, names.INDEX_FAILURES_ANNOTATION) or 0,
            interruptions=_number(annotations, names.INDEX_IGNORED_FAILURES_ANNOTATION) or 0,
            waiting=_words(state.get("waiting")),
            unscheduled=_unscheduled(status),
            exit_code=ended.get("exitCode"),
            ended=ended.get("reason"),
            last_words=ended.get("message"),
            finished_at=parse_time(ended.get("finishedAt")),
            still_running=_others_running(status) if ended else (),
            memory_limit=_memory_limit(pod),
        )

    @property
    def deleting(self) -> bool:
        """Whether it was told to go."""
        return self.deletion is not None

    @property
    def has_ended(self) -> bool:
        """Whether it is over for the Job controller, the scheduler and the kubelet."""
        return self.phase not in ("Pending", "Running")


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """The child Job; ``conditions`` maps the types that are True to their (reason, message).

    ``owner_uid``: of the TranscriptionJob that controls it. ``active_deadline``: its own
    activeDeadlineSeconds. ``queue``: the Kueue queue that its label names. ``suspended_by_us``:
    whether it was the operator that suspended it. ``workers``: its completions. ``succeeded``: the
    pods that it has counted.
    """

    name: str
    uid: str
    owner_uid: str | None
    version: int = field(default=0, compare=False)
    owner: str | None = None
    deleting: bool = False
    suspended: bool = False
    suspended_by_us: bool = False
    queue: str | None = None
    workers: int | None = None
    succeeded: int = 0
    active_deadline: int | None = None
    created: datetime | None = None
    started: datetime | None = None
    completed: datetime | None = None
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, job: Manifest) -> "ObservedJob":
        """A Job as the API server returns it."""
        metadata, spec, status = job["metadata"], job.get("spec", {}), job.get("status", {})
        return cls(
            name=metadata["name"],
            uid=metadata["uid"],
            owner_uid=_controller(metadata, _TRANSCRIPTION_JOB),
            version=_version(metadata),
            owner=owner_key(metadata),
            deleting="deletionTimestamp" in metadata,
            suspended=bool(spec.get("suspend")),
            suspended_by_us=names.SUSPENDED_ANNOTATION in metadata.get("annotations", {})
            or (bool(spec.get("suspend")) and _is_older_than_the_annotation(spec)),
            queue=metadata.get("labels", {}).get(names.QUEUE_LABEL),
            workers=spec.get("completions"),
            succeeded=status.get("succeeded", 0),
            active_deadline=spec.get("activeDeadlineSeconds"),
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
        """It has succeeded; the last sibling may still be stopping."""
        return bool(self.conditions.keys() & {"Complete", "SuccessCriteriaMet"})

    @property
    def failed(self) -> bool:
        """It has failed. Failed itself comes only after the last sibling is gone, which
        on a lost node is never."""
        return bool(self.conditions.keys() & {"Failed", "FailureTarget"})

    @property
    def finished(self) -> bool:
        """Nothing of it will run any more."""
        return self.complete or self.failed


@dataclass(frozen=True)
class Observation:
    """All that a decision is made from, besides the owner.

    ``gone``: the TranscriptionJob itself was deleted. ``refused``: why the API server did not take
    the Job, or the Job controller's pods, or that it could not create the Job yet. ``again``:
    seconds until a refused Job is created again. ``leaving``: a Job of that name is being deleted.
    ``queued``: its place in the operator's queue, from 1 on; None when it may run.
    ``silent_nodes``: those of the pods' nodes that are not Ready. ``unknown_nodes``: those whose
    state the operator may not read. ``ending``: their namespace is being deleted. ``may_release``:
    whether the settings let pods on lost nodes be released. ``not_scaled``: why its Job does not
    get as many workers as it asks for.
    """

    job: ObservedJob | None = None
    pods: tuple[ObservedPod, ...] = ()
    refused: Failure | None = None
    again: float | None = None
    leaving: bool = False
    queued: int | None = None
    silent_nodes: frozenset[str] = frozenset()
    unknown_nodes: frozenset[str] = frozenset()
    ending: bool = False
    may_release: bool = True
    not_scaled: str | None = None
    gone: bool = False


def owner_key(metadata: Manifest) -> str | None:
    """The TranscriptionJob that a child's annotation names, as namespace/name."""
    name = metadata.get("annotations", {}).get(names.OWNER_NAME_ANNOTATION)
    return f"{metadata['namespace']}/{name}" if name else None


def _version(metadata: Manifest) -> int:
    return int(metadata.get("resourceVersion", 0))


def _controller(metadata: Manifest, expected: tuple[str, str]) -> str | None:
    """The uid of the controlling owner if it is of this (API group, kind); its version may change.

    ownerReferences are free text for everyone who can create an object.
    """
    for owner in metadata.get("ownerReferences", []):
        group = owner.get("apiVersion", "").rpartition("/")[0]
        if owner.get("controller") and (group, owner.get("kind")) == expected:
            uid: str = owner["uid"]
            return uid
    return None


def _container_state(status: Manifest) -> Manifest:
    for container in status.get("containerStatuses", []):
        if container.get("name") == names.CONTAINER:
            state: Manifest = container.get("state", {})
            return state
    return {}


def _is_older_than_the_annotation(job_spec: Manifest) -> bool:
    """The first version of the operator suspended Jobs without a note. Its Jobs do not ignore exit
    codes, and their podFailurePolicy cannot be changed."""
    rules = job_spec.get("podFailurePolicy", {}).get("rules", [])
    return bool(rules) and not any(
        rule.get("action") == "Ignore" and "onExitCodes" in rule for rule in rules
    )


def _words(state: Manifest | None) -> tuple[str, str] | None:
    return (state.get("reason", ""), state.get("message", "")) if state else None


def _unscheduled(status: Manifest) -> tuple[str, str] | None:
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _words(condition)
    return None


def _others_running(status: Manifest) -> tuple[str, ...]:
    """Native sidecars are init containers: the kubelet ends them itself."""
    return tuple(
        container["name"]
        for container in status.get("containerStatuses", [])
        if container["name"] != names.CONTAINER and "running" in container.get("state", {})
    )


def _disruption(status: Manifest) -> str | None:
    for condition in status.get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            reason: str = condition.get("reason", "")
            return reason
    return None


def _number(annotations: dict[str, str], key: str) -> int | None:
    """An annotation can be changed by others."""
    text = annotations.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _memory_limit(pod: Manifest) -> str | None:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == names.CONTAINER:
            limit: str | None = container.get("resources", {}).get("limits", {}).get("memory")
            return limit
    return None
