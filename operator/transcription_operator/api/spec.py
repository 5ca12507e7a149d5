"""spec: what the user asks for. Descriptions are what ``kubectl explain`` shows."""

from pydantic import ByteSize, ConfigDict, Field, TypeAdapter

from transcription_contract.options import (
    LANGUAGE_AUTO,
    Decoding,
    FailurePolicy,
    ModelReference,
    WhisperTask,
)
from transcription_operator.api.base import ApiModel, immutable, rule
from transcription_operator.api.object_store import DEFAULT_SECRET, ObjectStore
from transcription_operator.api.output import Output
from transcription_operator.api.pod_template import PodTemplate
from transcription_operator.api.resources import Resources
from transcription_operator.api.source import Source

_IS_PREFIX = "self.uri.startsWith('s3://') && self.uri.endsWith('/')"
_SECONDS = 2**31 - 1
"""The API server's own counters of seconds are 32 bits wide."""

_BYTES = TypeAdapter(ByteSize)
BYTES_PATTERN = r"^[1-9][0-9]*([kMGT]i?|Ki)?$"
"""A Kubernetes quantity of whole bytes that bytes_of reads."""


def bytes_of(quantity: str) -> int:
    """A Kubernetes quantity of bytes as a number: 4Gi is 4294967296."""
    # pydantic's units are Kubernetes' with a B: 4GiB, 500MB.
    return int(_BYTES.validate_python(quantity + "B"))


class SpecLimits(ApiModel):
    """Guards against a recording that is larger than intended."""

    max_file_bytes: str = Field(
        default="4Gi",
        max_length=20,
        pattern=BYTES_PATTERN,
        description="The largest object to fetch, as a Kubernetes quantity of bytes.",
    )
    max_file_seconds: int = Field(
        default=86400,
        ge=1,
        le=604800,
        description="The longest recording to decode, in seconds.",
    )

    def file_bytes(self) -> int:
        """``max_file_bytes`` as a number."""
        return bytes_of(self.max_file_bytes)


class Spec(ApiModel):
    """A transcription to be done."""

    source: Source = Field(
        description="The recordings to transcribe. Cannot be changed.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    f"({_IS_PREFIX}) || (size(self.include) == 0 && size(self.exclude) == 0)",
                    "source.include and source.exclude need a prefix as source.uri, such as "
                    "s3://recordings/calls/",
                )
            ]
        },
    )
    output: Output = Field(description="Where the transcripts go. Cannot be changed.")
    object_store: ObjectStore = Field(
        default=ObjectStore(secret_name=DEFAULT_SECRET),
        description="How the workers reach the object store: by a Secret, or by the pod's own "
        "identity.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!has(self.secretName) || !has(self.endpoint)",
                    "objectStore takes either secretName or endpoint, and not both: a Secret has "
                    "its own key endpoint",
                ),
                rule(
                    "!has(self.region) || has(self.endpoint)",
                    "objectStore.region goes with objectStore.endpoint: a Secret has its own key "
                    "region",
                ),
            ]
        },
    )
    model: ModelReference = Field(
        default=ModelReference(name="turbo"),
        description="The Whisper model: an official name, or a checkpoint of your own.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "has(self.name) != has(self.uri)",
                    "model needs either name or uri, and not both",
                ),
                rule(
                    "!has(self.uri) || has(self.sha256)",
                    "model.uri needs model.sha256, the checkpoint's checksum",
                ),
            ]
        },
    )
    language: str = Field(
        default=LANGUAGE_AUTO,
        max_length=16,
        pattern=r"^[a-z]{2,4}$",
        description="The language spoken, as a Whisper language code such as en or de; auto finds "
        "it out, once for each recording.",
    )
    task: WhisperTask = Field(
        default="transcribe",
        description="transcribe writes what is said in its own language; translate writes it in "
        "English.",
    )
    decoding: Decoding = Field(
        default=Decoding(),
        description="How the recogniser works through the audio.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "self.mode != 'sequential' || self.audioContext != 'window'",
                    "decoding.audioContext window does not go with mode sequential, which is "
                    "openai-whisper's own: use mode batched, or audioContext full",
                )
            ]
        },
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Pods that share the recordings. Each begins with recordings, or slices of "
        "30 minutes, of its own, and then helps the others.",
    )
    node_pool: str | None = Field(
        default=None,
        max_length=63,
        description="One of the node pools in the operator's settings. Default: the pool that "
        "they name for the model, or else as default.",
    )
    resources: Resources | None = Field(
        default=None,
        description="What each worker requests and may use, where it differs from what the node "
        "pool says.",
    )
    pod_template: PodTemplate | None = Field(
        default=None, description="What is added to the workers' pods."
    )
    queue_name: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        description="A LocalQueue of Kueue in the job's namespace, which then decides when the "
        "workers start.",
    )
    priority: int = Field(
        default=0,
        ge=-1000,
        le=1000,
        description="Among jobs that the operator holds back, since its settings limit how many "
        "run at once: higher ones come first. Can be changed.",
    )
    suspend: bool = Field(
        default=False,
        description="true stops the workers, or does not start them; false lets them go on from "
        "where they were. Can be changed.",
    )
    backoff_limit: int = Field(
        default=3,
        ge=0,
        le=100,
        description="How often a worker is tried again after a failure that another try may "
        "mend. Preempted and evicted pods do not count.",
    )
    pending_deadline_seconds: int = Field(
        default=3600,
        ge=1,
        le=2592000,
        description="The job fails when none of its pods could start for so long, with the "
        "scheduler's or the kubelet's own words.",
    )
    active_deadline_seconds: int | None = Field(
        default=None,
        ge=1,
        le=_SECONDS,
        description="The job fails when it has been active for so long; the time in a queue or "
        "suspended does not count. Default: no limit. Can be changed.",
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        ge=0,
        le=_SECONDS,
        description="Delete the TranscriptionJob so long after its end; its transcripts stay. "
        "Default: it is kept. Can be changed.",
    )
    failure_policy: FailurePolicy = Field(
        default=FailurePolicy.CONTINUE,
        description="With many recordings. Continue: one that cannot be transcribed is reported, "
        "and the others are done. FailFast: it fails the job.",
    )
    limits: SpecLimits = Field(
        default=SpecLimits(),
        description="Guards against a recording that is larger than intended.",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                *(
                    immutable(field)
                    for field in (
                        "source",
                        "output",
                        "objectStore",
                        "model",
                        "language",
                        "task",
                        "decoding",
                        "workers",
                        "nodePool",
                        "resources",
                        "podTemplate",
                        "queueName",
                        "backoffLimit",
                        "pendingDeadlineSeconds",
                        "failurePolicy",
                        "limits",
                    )
                ),
                rule(
                    "self.task != 'translate' || !has(self.model.name) || "
                    "!self.model.name.endsWith('turbo')",
                    "task translate does not work with the turbo model, which was trained without "
                    "translations: use large-v3 or medium",
                ),
                rule(
                    "!self.source.uri.endsWith('/') || "
                    "!(self.output.uri.startsWith(self.source.uri) || "
                    "self.source.uri.startsWith(self.output.uri))",
                    "output.uri and the prefix source.uri must not lie within each other: "
                    "transcripts would mix with recordings; use another prefix, such as "
                    "s3://transcripts/calls/",
                ),
            ]
        }
    )
