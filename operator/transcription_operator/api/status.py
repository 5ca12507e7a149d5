"""status: what the operator reports. No floats: their text form differs between languages."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, field_serializer

from transcription_contract.termination import MAX_FAILURES, ResultFile
from transcription_operator.api.base import ApiModel


class Phase(StrEnum):
    """A one-word summary for people; programs read the conditions."""

    PENDING = "Pending"
    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self in (Phase.SUCCEEDED, Phase.FAILED)


class ConditionType(StrEnum):
    """batch/v1's names, and kstatus' two
    (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md)."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


def wire_time(value: datetime) -> str:
    """RFC 3339 in UTC and whole seconds, as Kubernetes' own metav1.Time."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal could obey, in words that come from logs, file names and servers."""


RETRY_LENGTH = 256
"""Characters of the annotation that count."""


def clip(text: str, length: int) -> str:
    """Cut to what the API server takes: its own and the kubelet's words can be pages long."""
    return _CONTROL.sub("\ufffd", text[:length])


def _clipped(length: int) -> BeforeValidator:
    return BeforeValidator(lambda text: clip(text, length) if isinstance(text, str) else text)


Reason = Annotated[str, _clipped(64), Field(max_length=64)]
Message = Annotated[str, _clipped(4096), Field(max_length=4096)]
Item = Annotated[str, _clipped(1100), Field(max_length=1100)]
"""A recording's URI: a key of at most 1024 bytes, and a bucket."""
ItemMessage = Annotated[str, _clipped(1024), Field(max_length=1024)]


class Condition(ApiModel):
    """metav1.Condition."""

    type: ConditionType = Field(description="Complete, Failed, Suspended, Reconciling or Stalled.")
    status: str = Field(description="True, False or Unknown.", max_length=8)
    reason: Reason = Field(description="A PascalCase word for programs.")
    message: Message = Field(default="", description="A sentence for people.")
    observed_generation: int = Field(description="The generation that this was said about.")
    last_transition_time: datetime = Field(description="When status last changed.")

    @field_serializer("last_transition_time")
    def _time(self, value: datetime) -> str:
        return wire_time(value)


class Workers(ApiModel):
    """How the job's pods stand."""

    active: int = Field(default=0, description="Pods that are pending or running.")
    succeeded: int = Field(default=0, description="Pods that finished their work.")
    failed: int = Field(default=0, description="Pods that were seen to fail.")
    retried: int = Field(default=0, description="Those of them that another pod came for.")


class Progress(ApiModel):
    """How far the audio is done."""

    percent: int = Field(default=0, ge=0, le=100, description="0 to 100; 100 only when done.")
    processed_seconds: int = Field(default=0, description="Seconds of audio done.")
    total_seconds: int = Field(
        default=0,
        description="Seconds of audio in all, estimated while recordings arrive; 0 until known.",
    )
    items: int = Field(default=0, description="Recordings in all; 0 until listed.")
    items_done: int = Field(default=0, description="Recordings that are delivered or have failed.")
    items_failed: int = Field(default=0, description="Recordings that have failed.")
    estimated_remaining_seconds: int | None = Field(
        default=None, description="Seconds until the end at the present speed."
    )
    speed: str | None = Field(
        default=None,
        description="Seconds of audio per second of time over all workers, such as 38.2x.",
        max_length=32,
    )
    last_update_time: datetime | None = Field(
        default=None, description="When the workers last answered."
    )

    @field_serializer("last_update_time")
    def _time(self, value: datetime | None) -> str | None:
        return wire_time(value) if value else None


class StatusResult(ApiModel):
    """What was delivered, and where."""

    uri: str = Field(description="The prefix that holds the transcripts.")
    manifest_uri: str = Field(description="The list of all that was delivered.")
    files: tuple[ResultFile, ...] = Field(
        default=(), description="The transcripts of a single recording."
    )
    items: int | None = Field(
        default=None, description="Recordings that were found, where there is more than one."
    )
    items_failed: int | None = Field(
        default=None, description="Those of them that have no transcript."
    )
    items_skipped: int | None = Field(
        default=None,
        description="Number of objects left out: no media, or delivered before (existing: skip).",
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
    language: str | None = Field(
        default=None, description="The language spoken, in most of the recordings."
    )
    audio_seconds: int | None = Field(default=None, description="Seconds of audio in all.")
    model_sha256: str | None = Field(
        default=None, description="SHA-256 of the checkpoint that was used."
    )


class FailedItem(ApiModel):
    """A recording among many that has no transcript."""

    item: Item = Field(description="The recording's URI.")
    reason: Reason = Field(description="A PascalCase word for programs.")
    message: ItemMessage = Field(description="A sentence for people.")


class Status(ApiModel):
    """What the operator last saw."""

    observed_generation: int | None = Field(
        default=None,
        description="The generation of the spec that this status is about; -1 until the operator "
        "has seen the job.",
    )
    phase: Phase | None = Field(
        default=None,
        description="Pending, Queued, Suspended, Running, Succeeded or Failed: a summary of "
        "conditions.",
    )
    reason: Reason | None = Field(default=None, description="A PascalCase word for the phase.")
    message: Message | None = Field(default=None, description="A sentence for the phase.")
    conditions: tuple[Condition, ...] = Field(
        default=(),
        description="Complete, Failed and Suspended as batch/v1 Jobs have them; Reconciling and "
        "Stalled for GitOps tools.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    attempt: int | None = Field(
        default=None, ge=1, description="1, and one more for each retry by annotation."
    )
    retry: str | None = Field(
        default=None,
        max_length=RETRY_LENGTH,
        description="The value of the annotation transcription.dev/retry that attempt answers.",
    )
    queue_position: int | None = Field(
        default=None, description="With phase Queued: how many jobs it is behind, and one."
    )
    start_time: datetime | None = Field(
        default=None, description="When the job was first let go on."
    )
    active_since: datetime | None = Field(
        default=None,
        description="When it was let go on: after its creation, the queue, or a suspension.",
    )
    running_since: datetime | None = Field(
        default=None, description="When a worker was first seen at work since then."
    )
    active_seconds: int | None = Field(
        default=None,
        description="Seconds that it was active before active_since, of this attempt; counted "
        "against spec.activeDeadlineSeconds.",
    )
    completion_time: datetime | None = Field(default=None, description="When the job ended.")
    job_name: str | None = Field(default=None, description="The Kubernetes Job that does the work.")
    model: str | None = Field(default=None, description="The model's name or file name.")
    language: str | None = Field(default=None, description="The language asked for, then found.")
    workers: Workers | None = Field(default=None, description="How the job's pods stand.")
    progress: Progress | None = Field(default=None, description="How far the audio is done.")
    result: StatusResult | None = Field(default=None, description="What was delivered, and where.")
    failures: tuple[FailedItem, ...] = Field(
        default=(),
        max_length=MAX_FAILURES,
        description=f"The first {MAX_FAILURES} recordings that have no transcript; the manifest "
        "has them all.",
    )

    @field_serializer("start_time", "active_since", "running_since", "completion_time")
    def _time(self, value: datetime | None) -> str | None:
        return wire_time(value) if value else None

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, if it is set."""
        return next((c for c in self.conditions if c.type == kind), None)
