"""The options that a user states in the TranscriptionJob and a worker obeys, in one form."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from transcription_contract.base import Model

LANGUAGE_AUTO = "auto"


class OutputFormat(StrEnum):
    """A transcript's file format, and its file name's extension."""

    JSON = "json"
    VTT = "vtt"
    TXT = "txt"


DEFAULT_FORMATS = (OutputFormat.JSON, OutputFormat.VTT, OutputFormat.TXT)

WhisperTask = Literal["transcribe", "translate"]


class ModelReference(Model):
    """Which Whisper checkpoint to use: an official name, or a file of your own."""

    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="An official Whisper model, such as tiny, small, large-v3 or turbo. "
        "Either name or uri.",
    )
    uri: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]$",
        max_length=1024,
        description="A checkpoint in openai-whisper's format in the job's object store, such as "
        "s3://models/mine.pt. Needs sha256.",
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="The checkpoint's SHA-256 in lower-case hexadecimal. Required with uri, so "
        "that the model cannot change under a running job.",
    )

    @property
    def label(self) -> str:
        """What people call it: the official name, or the checkpoint's file name."""
        return self.name or (self.uri or "").rpartition("/")[2]


class Decoding(Model):
    """How the recogniser works through the audio."""

    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Windows of speech decoded at once. Default: the node pool's (8 on CPU, 32 on "
        "a GPU). More is faster until the GPU's memory is full.",
    )
    initial_prompt: str = Field(
        default="",
        max_length=4096,
        description="Words that the model should expect, such as names and terms; at most 223 "
        "Whisper tokens.",
    )
