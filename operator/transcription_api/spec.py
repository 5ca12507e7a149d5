"""spec: the desired transcription. ``kubectl explain`` shows the descriptions."""

from pydantic import ByteSize, ConfigDict, Field, TypeAdapter

from transcription_api.base import ApiModel, immutable, rule
from transcription_api.object_store import DEFAULT_SECRET, ObjectStore
from transcription_api.output import Output
from transcription_api.pod_template import PodTemplate
from transcription_api.resources import Resources
from transcription_api.source import Source
from transcription_contract.decoding import Decoding
from transcription_contract.languages import LANGUAGE_CODES
from transcription_contract.options import (
    LANGUAGE_AUTO,
    FailurePolicy,
    ModelReference,
    WhisperTask,
)

_IS_PREFIX = "self.uri.startsWith('s3://') && self.uri.endsWith('/')"
_SECONDS = 2**31 - 1
"""The API server's own counters of seconds are 32 bits wide."""

NO_DEADLINE = 0
"""pendingDeadlineSeconds of a job that waits for as long as it takes."""

_LANGUAGES = (LANGUAGE_AUTO, *LANGUAGE_CODES)
_LANGUAGE_MESSAGE = (
    "language must be auto or a Whisper language code such as en, de or pt: not English or pt-BR"
)

_BYTES = TypeAdapter(ByteSize)
BYTES_PATTERN = r"^[1-9][0-9]*([kMGT]i?|Ki)?$"
"""A Kubernetes quantity of whole bytes that bytes_of reads."""


def bytes_of(quantity: str) -> int:
    """A Kubernetes quantity of bytes as a number: 4Gi is 4294967296."""
    # pydantic's units are Kubernetes' with a B: 4GiB, 500MB.
    return int(_BYTES.validate_python(quantity + "B"))


class SpecLimits(ApiModel):
    """Limits on the size of a recording."""

    max_file_bytes: str = Field(
        default="4Gi",
        max_length=20,
        pattern=BYTES_PATTERN,
        description="Largest object to fetch, as a Kubernetes quantity of bytes. Defaults to 4Gi.",
    )
    max_file_seconds: int = Field(
        default=86400,
        ge=1,
        le=604800,
        description="Longest recording to decode, in seconds. Defaults to 86400 (a day).",
    )

    def file_bytes(self) -> int:
        """``max_file_bytes`` as a number."""
        return bytes_of(self.max_file_bytes)


class Spec(ApiModel):
    """The desired transcription."""

    source: Source = Field(
        description="Recordings to transcribe. Immutable.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    f"({_IS_PREFIX}) || (size(self.include) == 0 && size(self.exclude) == 0)",
                    "source.include and source.exclude require a prefix as source.uri, such as "
                    "s3://recordings/calls/",
                )
            ]
        },
    )
    output: Output = Field(description="Location and form of the transcripts. Immutable.")
    object_store: ObjectStore = Field(
        default=ObjectStore(secret_name=DEFAULT_SECRET),
        description="Access to the object store: a Secret, or the identity of the worker pods. "
        "Defaults to the Secret transcription-object-store.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!has(self.secretName) || !has(self.endpoint)",
                    "objectStore takes either secretName or endpoint: a Secret has its own key "
                    "endpoint",
                ),
                rule(
                    "!has(self.region) || has(self.endpoint)",
                    "objectStore.region requires objectStore.endpoint: a Secret has its own key "
                    "region",
                ),
            ]
        },
    )
    model: ModelReference = Field(
        default=ModelReference(name="turbo"),
        description="Whisper model: an official name, or your own checkpoint. Defaults to turbo.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "has(self.name) != has(self.uri)",
                    "model requires either name or uri",
                ),
                rule(
                    "!has(self.uri) || has(self.sha256)",
                    "model.uri requires model.sha256, the SHA-256 of the checkpoint",
                ),
            ]
        },
    )
    language: str = Field(
        default=LANGUAGE_AUTO,
        max_length=16,
        description="Language of the recordings, as a Whisper language code such as en or de. auto "
        "detects it for each recording. Defaults to auto.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(f"self in [{', '.join(map(repr, _LANGUAGES))}]", _LANGUAGE_MESSAGE)
            ]
        },
    )
    task: WhisperTask = Field(
        default="transcribe",
        description="transcribe: write the spoken language. translate: translate into English. "
        "Defaults to transcribe.",
    )
    decoding: Decoding = Field(
        default=Decoding(),
        description="Decoding options.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "self.mode != 'sequential' || self.audioContext != 'window'",
                    "decoding.audioContext window is not supported with mode sequential: use mode "
                    "batched, or audioContext full",
                )
            ]
        },
    )
    operator_class_name: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        description="Class of the operator that runs the job, where a cluster has several. "
        "Operators of other classes ignore it. Defaults to the operator without a class.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Number of pods that share the recordings, or slices of 30 minutes of them. "
        "The operator's settings may limit it. Mutable; finished work is kept. Defaults to 1.",
    )
    node_pool: str | None = Field(
        default=None,
        max_length=63,
        description="Name of a node pool in the operator's settings. Defaults to the pool that the "
        "settings name for the model, then to their default pool.",
    )
    resources: Resources | None = Field(
        default=None,
        description="Resource requests and limits of each worker; they replace the node pool's.",
    )
    pod_template: PodTemplate | None = Field(
        default=None, description="Additions to the worker pods."
    )
    queue_name: str | None = Field(
        default=None,
        max_length=63,
        pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        description="Name of a Kueue LocalQueue in the job's namespace. Kueue then decides when "
        "the workers start.",
    )
    priority: int = Field(
        default=0,
        ge=-1000,
        le=1000,
        description="Priority among the jobs of the namespace in the operator's queue: jobs with a "
        "higher value start first. Only used where the operator's settings limit the number of "
        "active jobs. Mutable. Defaults to 0.",
    )
    suspend: bool = Field(
        default=False,
        description="true: stop the workers, or do not start them. false: start or resume them. "
        "Mutable. Defaults to false.",
    )
    backoff_limit: int = Field(
        default=3,
        ge=0,
        le=100,
        description="Number of retries for each worker after failures that a retry can fix. "
        "Preempted, evicted and deleted pods do not count. Defaults to 3.",
    )
    pending_deadline_seconds: int = Field(
        default=3600,
        ge=NO_DEADLINE,
        le=2592000,
        description="Fail the job if no pod has started within this many seconds, with the message "
        "of the scheduler or the kubelet. 0 means no deadline. Mutable. Defaults to 3600.",
    )
    active_deadline_seconds: int | None = Field(
        default=None,
        ge=1,
        le=_SECONDS,
        description="Fail the job if it has been active for this many seconds. Time in a queue or "
        "suspended does not count. Mutable; remove it for no limit. Defaults to no limit.",
    )
    ttl_seconds_after_finished: int | None = Field(
        default=None,
        ge=0,
        le=_SECONDS,
        description="Delete the TranscriptionJob this many seconds after its end; the transcripts "
        f"stay. To keep it whatever the operator's setting, use {_SECONDS} (68 years). Mutable. "
        "Defaults to the operator's setting, and there to never.",
    )
    failure_policy: FailurePolicy = Field(
        default=FailurePolicy.CONTINUE,
        description="Effect of a recording that cannot be transcribed, among many. Continue: "
        "report it, and transcribe the others. FailFast: fail the job. Defaults to Continue.",
    )
    limits: SpecLimits = Field(
        default=SpecLimits(),
        description="Limits on the size of a recording.",
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
                        "operatorClassName",
                        "nodePool",
                        "resources",
                        "podTemplate",
                        "queueName",
                        "backoffLimit",
                        "failurePolicy",
                        "limits",
                    )
                ),
                rule(
                    "self.task != 'translate' || !has(self.model.name) || "
                    "!self.model.name.endsWith('turbo')",
                    "task translate is not supported by the turbo model: use large-v3 or medium",
                ),
                rule(
                    "!self.source.uri.endsWith('/') || "
                    "!(self.output.uri.startsWith(self.source.uri) || "
                    "self.source.uri.startsWith(self.output.uri))",
                    "output.uri must not be inside the prefix source.uri, or the other way round: "
                    "use another prefix, such as s3://transcripts/calls/",
                ),
            ]
        }
    )
