"""The options of a TranscriptionJob, as users state them and workers read them."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from transcription_contract.base import Model

LANGUAGE_AUTO = "auto"


class OutputFormat(StrEnum):
    """A transcript's file format, and its file name's extension."""

    JSON = "json"
    SRT = "srt"
    VTT = "vtt"
    TXT = "txt"
    TSV = "tsv"


DEFAULT_FORMATS = (OutputFormat.JSON, OutputFormat.VTT, OutputFormat.TXT)

WhisperTask = Literal["transcribe", "translate"]


class FailurePolicy(StrEnum):
    """Effect of a recording that cannot be transcribed on a job of many."""

    CONTINUE = "Continue"
    FAIL_FAST = "FailFast"


class ModelReference(Model):
    """A Whisper checkpoint: an official name, or your own file."""

    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Name of an official Whisper model, such as tiny, small, large-v3 or turbo. "
        "Set either name or uri.",
    )
    uri: str | None = Field(
        default=None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]$",
        max_length=1024,
        description="URI of a checkpoint in openai-whisper's format in the job's object store, "
        "such as s3://models/mine.pt. Requires sha256.",
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the checkpoint in lower-case hexadecimal. Required with uri: the "
        "model cannot change while the job runs.",
    )

    @property
    def label(self) -> str:
        """What people call it: the official name, or the checkpoint's file name."""
        return self.name or (self.uri or "").rpartition("/")[2]


class Subtitles(Model):
    """Layout of srt and vtt files. A width or highlighting makes the worker time each word."""

    max_line_width: int | None = Field(
        default=None,
        ge=10,
        le=1000,
        description="Width of a line in columns, such as 42. East Asian wide characters count as "
        "2, combining marks as 0. Lines break at spaces; in scripts without spaces, such as "
        "Chinese, Japanese and Thai, between any two characters. Defaults to no limit.",
    )
    max_line_count: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Number of lines shown at once, such as 2. Requires maxLineWidth. Defaults to "
        "no limit.",
    )
    highlight_words: bool = Field(
        default=False, description="Underline each word while it is spoken. Defaults to false."
    )

    @property
    def need_words(self) -> bool:
        """Whether they cannot be written without the times of words."""
        return self.highlight_words or self.max_line_width is not None


class ChannelMode(StrEnum):
    """Treatment of a recording's channels."""

    MIX = "mix"
    SEPARATE = "separate"


class SourceAudio(Model):
    """Selection of a recording's tracks and channels."""

    track: str | int = Field(
        default="auto",
        description="Audio track. auto: the default track, or the next one that can be decoded "
        "and is not silent. all: every track, each as a speaker of its own. A number: that audio "
        "track, counted from 1. Defaults to auto.",
        json_schema_extra={
            "anyOf": None,
            "x-kubernetes-int-or-string": True,
            "maxLength": 4,
            "x-kubernetes-validations": [
                {
                    "rule": "type(self) == int ? self >= 1 && self <= 99 : "
                    "self.matches('^(auto|all|[1-9][0-9]?)$')",
                    "message": "source.audio.track must be auto, all, or a number from 1 to 99",
                }
            ],
        },
    )
    channels: ChannelMode = Field(
        default=ChannelMode.MIX,
        description="mix: transcribe the mean of all channels. separate: transcribe each channel "
        "as a speaker of its own, merged into one transcript that names the channel of every "
        "segment. Defaults to mix.",
    )

    @field_validator("track")
    @classmethod
    def _known_track(cls, value: str | int) -> str | int:
        if value in ("auto", "all"):
            return value
        if not str(value).isascii() or not str(value).isdecimal() or not 1 <= int(value) <= 99:
            raise ValueError("track is auto, all, or a number from 1 to 99")
        return int(value)


class ExistingOutput(StrEnum):
    """Treatment of results that another job delivered to the same output."""

    FAIL = "fail"
    SKIP = "skip"
    OVERWRITE = "overwrite"
