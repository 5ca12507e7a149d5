"""spec: what the user asks for. Descriptions are what ``kubectl explain`` shows."""

from typing import Annotated

from pydantic import ByteSize, ConfigDict, Field, TypeAdapter

from transcription_contract.options import (
    DEFAULT_FORMATS,
    LANGUAGE_AUTO,
    Decoding,
    FailurePolicy,
    ModelReference,
    OutputFormat,
    Subtitles,
    WhisperTask,
)
from transcription_operator.api.base import ApiModel, immutable, rule

URI_LENGTH = 1024
MAX_GLOBS = 32
_BUCKET = "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_ADDRESS = r'https://[A-Za-z0-9.:_\[\]-]+/[!"$-~]*'
_SOURCE = f"self.matches(r'^({_BUCKET}/.*|{_ADDRESS})$')"
_S3_PREFIX = f"self.matches('^{_BUCKET}/(.*/)?$')"
_IS_PREFIX = "self.uri.startsWith('s3://') && self.uri.endsWith('/')"

Glob = Annotated[str, Field(min_length=1, max_length=256)]


class Source(ApiModel):
    """The recording, or the prefix of many."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="One recording, as s3://bucket/key or https://host/path; or all recordings "
        "below a prefix that ends in a slash, as s3://bucket/prefix/. Anything that ffmpeg reads: "
        "wav, mp3, m4a, flac, ogg, opus, webm, mp4, and more.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    _SOURCE,
                    "source.uri must be an object such as s3://recordings/standup.mp3, a prefix "
                    "such as s3://recordings/calls/, or an address such as "
                    "https://media.example.com/standup.mp3",
                )
            ]
        },
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: transcribe only what one of these patterns matches, such as "
        '"*.mp3" or "2026/*". A pattern without a slash is matched with the last part of the '
        "name, another one with the whole path below the prefix; * stands for any characters, "
        "slashes too. Default: everything.",
    )
    exclude: tuple[Glob, ...] = Field(
        default=(),
        max_length=MAX_GLOBS,
        description="With a prefix: leave out what one of these patterns matches, also where "
        "include takes it.",
    )


class Output(ApiModel):
    """Where the transcripts go."""

    uri: str = Field(
        min_length=1,
        max_length=URI_LENGTH,
        description="The prefix that receives the transcripts, as s3://bucket/prefix/. They are "
        "named after the recording: standup.mp3 becomes standup.json, standup.vtt, standup.txt; "
        "with a prefix as source, a/standup.mp3 below it becomes a/standup.mp3.json and so on.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    _S3_PREFIX,
                    "output.uri must be a prefix that ends in a slash, such as "
                    "s3://transcripts/standup/",
                )
            ]
        },
    )
    formats: tuple[OutputFormat, ...] = Field(
        default=DEFAULT_FORMATS,
        min_length=1,
        max_length=len(OutputFormat),
        description="The transcript's file formats.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    subtitles: Subtitles = Field(
        default=Subtitles(),
        description="How srt and vtt files are laid out.",
        json_schema_extra={
            "x-kubernetes-validations": [
                rule(
                    "!has(self.maxLineCount) || has(self.maxLineWidth)",
                    "subtitles.maxLineCount needs subtitles.maxLineWidth, such as 42: without it "
                    "a line is never full",
                )
            ]
        },
    )
    overwrite: bool = Field(
        default=False,
        description="Allow this job to replace what another TranscriptionJob delivered to the "
        "same prefix.",
    )


class ObjectStore(ApiModel):
    """How the workers reach the object store."""

    secret_name: str = Field(
        default="transcription-object-store",
        min_length=1,
        max_length=253,
        description="A Secret in the job's namespace with the keys endpoint, accessKey and "
        "secretKey, and, where needed, region, sessionToken and caCert (PEM).",
    )


class SpecLimits(ApiModel):
    """Guards against a recording that is larger than intended."""

    max_file_bytes: str = Field(
        default="4Gi",
        max_length=20,
        pattern=r"^[1-9][0-9]*([kMGT]i?|Ki)?$",
        description="The largest object to fetch, as a Kubernetes quantity of bytes.",
    )
    max_file_seconds: int = Field(
        default=86400,
        ge=1,
        le=604800,
        description="The longest recording to decode, in seconds.",
    )

    def file_bytes(self) -> int:
        """``max_file_bytes`` as a number: 4Gi is 4294967296."""
        # pydantic's units are Kubernetes' with a B: 4GiB, 500MB.
        return int(TypeAdapter(ByteSize).validate_python(self.max_file_bytes + "B"))


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
        default=ObjectStore(), description="How the workers reach the object store."
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
        "they name as default.",
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
