"""status: the observed state. No floats: their text form differs between languages."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_serializer

from transcription_api.base import ApiModel
from transcription_api.progress import Progress
from transcription_api.texts import (
    RETRY_LENGTH,
    Item,
    ItemMessage,
    Message,
    Reason,
    wire_time,
)
from transcription_contract.termination import MAX_FAILURES, ResultFile


class Phase(StrEnum):
    """One-word summary for people; programs read the conditions."""

    PENDING = "Pending"
    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def finished(self) -> bool:
        """Whether the job has ended."""
        return self in (Phase.SUCCEEDED, Phase.FAILED)


SPEC_UNREADABLE = "SpecUnreadable"
"""Reason of a job that failed because this version of the operator cannot read its spec: it starts
or continues when a version can."""

EXACT_POSITIONS = 10
"""Positions in the queue up to this one are reported exactly."""


class ConditionType(StrEnum):
    """batch/v1's names, and kstatus' two
    (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md)."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


PodName = Annotated[str, Field(max_length=253)]
MAX_EVICTED_PODS = 3
"""Evictions over a limit after which a job fails: the next pod would use as much."""


class Condition(ApiModel):
    """metav1.Condition."""

    type: ConditionType = Field(description="Complete, Failed, Suspended, Reconciling or Stalled.")
    status: str = Field(description="True, False or Unknown.", max_length=8)
    reason: Reason = Field(description="Reason in PascalCase, for programs.")
    message: Message = Field(default="", description="Message for people.")
    observed_generation: int = Field(
        description="Generation of the spec that the condition is about."
    )
    last_transition_time: datetime = Field(description="Time of the last change of status.")

    @field_serializer("last_transition_time")
    def _time(self, value: datetime) -> str:
        return wire_time(value)


class Workers(ApiModel):
    """Number of worker pods by state."""

    active: int = Field(
        default=0, description="Number of pending and running pods; 0 when the job has ended."
    )
    succeeded: int = Field(default=0, description="Number of pods that succeeded.")
    failed: int = Field(
        default=0,
        description="Number of pods that failed, in a way that counts against spec.backoffLimit.",
    )
    retried: int = Field(default=0, description="Number of failed pods that were replaced.")
    interrupted: int = Field(
        default=0,
        description="Number of pods that were stopped from outside: deleted, evicted, preempted, "
        "or suspended. They do not count against spec.backoffLimit.",
    )


class StatusResult(ApiModel):
    """Delivered transcripts."""

    uri: str = Field(description="Prefix of the transcripts.")
    manifest_uri: str = Field(
        description="URI of manifest.json, the list of everything that was delivered."
    )
    files: tuple[ResultFile, ...] = Field(
        default=(), description="Transcripts of a single recording."
    )
    items: int | None = Field(
        default=None,
        description="Number of objects that were found, if there is more than one.",
    )
    items_failed: int | None = Field(
        default=None, description="Number of recordings that failed and have no transcript."
    )
    items_skipped: int | None = Field(
        default=None,
        description="Number of objects that were left out: no media, or delivered before "
        "(existing: skip).",
    )
    warnings: int | None = Field(
        default=None,
        description="Number of warnings about recordings, such as gaps. manifest.json and the "
        "JSON transcripts list them.",
    )
    suspect_segments: int | None = Field(
        default=None,
        description="Number of segments whose text is improbable or repetitive. The JSON "
        "transcripts flag them.",
    )
    language: str | None = Field(default=None, description="Language of most of the recordings.")
    audio_seconds: int | None = Field(default=None, description="Seconds of audio in total.")
    model_sha256: str | None = Field(default=None, description="SHA-256 of the checkpoint.")


class FailedItem(ApiModel):
    """A recording that failed."""

    item: Item = Field(description="URI of the recording.")
    reason: Reason = Field(description="Reason in PascalCase, for programs.")
    message: ItemMessage = Field(description="Message for people.")


class Status(ApiModel):
    """State of the job as last observed by the operator."""

    observed_generation: int | None = Field(
        default=None,
        description="Generation of the spec that the status is about; -1 until the operator has "
        "observed the job.",
    )
    phase: Phase | None = Field(
        default=None,
        description="Summary of the conditions: Pending, Queued, Suspended, Running, Succeeded or "
        "Failed.",
    )
    reason: Reason | None = Field(
        default=None, description="Reason for the phase in PascalCase, for programs."
    )
    message: Message | None = Field(
        default=None, description="Message about the phase, for people."
    )
    conditions: tuple[Condition, ...] = Field(
        default=(),
        description="Conditions: Complete, Failed and Suspended as in batch/v1 Jobs, Reconciling "
        "and Stalled for GitOps tools.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    attempt: int | None = Field(
        default=None,
        ge=1,
        description="Number of the attempt, starting at 1. Each retry by annotation adds 1.",
    )
    retry: str | None = Field(
        default=None,
        max_length=RETRY_LENGTH,
        description="Value of the annotation transcription.dev/retry that started the attempt.",
    )
    queue_position: int | None = Field(
        default=None,
        description="Position among the queued jobs of the namespace, starting at 1. Exact up to "
        f"{EXACT_POSITIONS}; later positions are rounded up to 20, 50, 100, 200, 500 and so on. "
        "Updated every few minutes. Only with phase Queued.",
    )
    start_time: datetime | None = Field(
        default=None, description="Time at which the job was first allowed to run."
    )
    active_since: datetime | None = Field(
        default=None,
        description="Time at which the job was last allowed to run: after its creation, a queue or "
        "a suspension.",
    )
    running_since: datetime | None = Field(
        default=None, description="Time at which the first worker ran after activeSince."
    )
    active_seconds: int | None = Field(
        default=None,
        description="Seconds that this attempt was active before activeSince; they count against "
        "spec.activeDeadlineSeconds.",
    )
    completion_time: datetime | None = Field(
        default=None, description="Time at which the job ended."
    )
    job_name: str | None = Field(default=None, description="Name of the Kubernetes Job.")
    model: str | None = Field(default=None, description="Name or file name of the model.")
    language: str | None = Field(
        default=None,
        description="Requested language; replaced by the detected language.",
    )
    workers: Workers | None = Field(default=None, description="Number of worker pods by state.")
    evicted_pods: tuple[PodName, ...] | None = Field(
        default=None,
        max_length=MAX_EVICTED_PODS,
        description="Names of the pods that the kubelet evicted for exceeding a limit on local "
        f"storage. The job fails when there are {MAX_EVICTED_PODS}.",
    )
    progress: Progress | None = Field(default=None, description="Progress of the job.")
    result: StatusResult | None = Field(default=None, description="Delivered transcripts.")
    failures: tuple[FailedItem, ...] = Field(
        default=(),
        max_length=MAX_FAILURES,
        description=f"The first {MAX_FAILURES} recordings that failed. manifest.json lists all of "
        "them.",
    )

    @field_serializer("start_time", "active_since", "running_since", "completion_time")
    def _time(self, value: datetime | None) -> str | None:
        return wire_time(value) if value else None

    @property
    def is_finished(self) -> bool:
        """Whether the job has succeeded or failed for good."""
        finished = self.phase is not None and self.phase.finished
        return finished and self.reason != SPEC_UNREADABLE

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of a type, or None."""
        return next((c for c in self.conditions if c.type == kind), None)
