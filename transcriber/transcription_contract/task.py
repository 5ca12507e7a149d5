"""The Task: all that a worker is told, as one JSON environment variable."""

from pydantic import Field

from transcription_contract.base import Model
from transcription_contract.decoding import Decoding
from transcription_contract.locations import ObjectUri
from transcription_contract.options import (
    DEFAULT_FORMATS,
    LANGUAGE_AUTO,
    ExistingOutput,
    FailurePolicy,
    ModelReference,
    OutputFormat,
    SourceAudio,
    Subtitles,
    WhisperTask,
)

TASK_VARIABLE = "TASK"
WORKER_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
"""Set by the Job controller in every pod of an Indexed Job."""

WORK_DIRECTORY = "/work"
MODEL_DIRECTORY = "/models"
CA_CERTIFICATE_PATH = "/etc/transcription/ca/ca.crt"
"""Where the Secret's caCert is mounted; the file is absent when the Secret has none."""

STORE_DIRECTORY = "/etc/transcription/object-store"
"""Where the Secret's KEY_FILES are mounted: workers read them again when the Secret changes."""

KEY_FILES = ("accessKey", "secretKey", "sessionToken")

STORE_VARIABLES: dict[str, str] = {
    "endpoint": "AWS_ENDPOINT_URL",
    "accessKey": "AWS_ACCESS_KEY_ID",
    "secretKey": "AWS_SECRET_ACCESS_KEY",
    "region": "AWS_REGION",
    "sessionToken": "AWS_SESSION_TOKEN",
    "requestPayer": "AWS_REQUEST_PAYER",
    "serverSideEncryption": "AWS_SERVER_SIDE_ENCRYPTION",
    "kmsKeyId": "AWS_SSE_KMS_KEY_ID",
    "addressing": "AWS_S3_ADDRESSING_STYLE",
}
"""The object store Secret's keys, and the AWS SDKs' variables that carry them to the worker."""

OPTIONAL_STORE_KEYS = frozenset(STORE_VARIABLES) - {"endpoint", "accessKey", "secretKey"}


class Limits(Model):
    """The largest recording that a worker takes on."""

    max_file_bytes: int = Field(default=4 * 1024**3, ge=1)
    max_file_seconds: int = Field(default=86400, ge=1)


class Task(Model):
    """One TranscriptionJob as its workers see it.

    ``owner``: namespace/name, for logs and messages. ``batch_size``: already resolved from the
    job and its node pool, since it is part of what makes outputs reproducible.
    ``secret_name``: None where the pod's own identity opens the object store.
    ``include``, ``exclude``: globs, with a prefix as source only. ``model_mirror_uri``: a prefix
    that is looked at for official models before the internet. ``allowed_networks``: CIDRs of
    private networks that an https source, and an object store of the spec, may lie in.
    """

    uid: str
    owner: str
    source_uri: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    output_uri: str
    formats: tuple[OutputFormat, ...] = DEFAULT_FORMATS
    subtitles: Subtitles = Subtitles()
    audio: SourceAudio = SourceAudio()
    existing: ExistingOutput = ExistingOutput.FAIL
    secret_name: str | None = None
    model: ModelReference
    language: str = LANGUAGE_AUTO
    task: WhisperTask = "transcribe"
    decoding: Decoding = Decoding()
    batch_size: int = Field(default=8, ge=1)
    workers: int = Field(default=1, ge=1)
    failure_policy: FailurePolicy = FailurePolicy.CONTINUE
    limits: Limits = Limits()
    model_mirror_uri: str | None = None
    allowed_networks: tuple[str, ...] = ()

    @property
    def has_many(self) -> bool:
        """Whether the source is a prefix, of any number of recordings."""
        return ObjectUri.parse(self.source_uri).is_prefix

    @property
    def times_words(self) -> bool:
        """Whether each word's time is wanted, by the user or by the subtitles."""
        return self.decoding.word_timestamps or self.subtitles.need_words

    def to_environment(self) -> str:
        """JSON without a dollar sign.

        The kubelet expands ``$(NAME)`` in the values of environment variables, credentials
        included, so a prompt or a key must not be able to spell one.
        """
        return self.model_dump_json(by_alias=True, exclude_none=True).replace("$", "\\u0024")
