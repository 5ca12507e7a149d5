"""The options that a user states in the TranscriptionJob and a worker obeys, in one form."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

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
    """What a bad recording among many does to the job."""

    CONTINUE = "Continue"
    FAIL_FAST = "FailFast"


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


class Subtitles(Model):
    """How srt and vtt files are laid out. Setting any of it makes the worker time each word."""

    max_line_width: int | None = Field(
        default=None,
        ge=10,
        le=1000,
        description="Characters in a line, such as 42. Default: as long as the phrase is.",
    )
    max_line_count: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Lines shown at once, such as 2. Needs maxLineWidth.",
    )
    highlight_words: bool = Field(
        default=False, description="Underline each word while it is spoken."
    )

    @property
    def need_words(self) -> bool:
        """Whether they cannot be written without the times of words."""
        return self.highlight_words or self.max_line_width is not None


class DecodingMode(StrEnum):
    """Whose loop goes through the audio."""

    BATCHED = "batched"
    SEQUENTIAL = "sequential"


class AudioContext(StrEnum):
    """How much of its 30 s the encoder computes."""

    FULL = "full"
    WINDOW = "window"


class Decoding(Model):
    """How the recogniser works through the audio."""

    mode: DecodingMode = Field(
        default=DecodingMode.BATCHED,
        description="batched: windows of speech, many at once, shared between workers. "
        "sequential: openai-whisper's own transcribe() on each recording, for its exact output; "
        "slow, in one worker, and with the whole recording in memory.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Windows of speech decoded at once. Default: the node pool's (8 on CPU, 32 on "
        "a GPU). More is faster until the GPU's memory is full.",
    )
    beam_size: int = Field(
        default=1,
        ge=1,
        le=16,
        description="1 takes the likeliest word each time; more follows so many candidates, one "
        "window at a time, which is slower and seldom better.",
    )
    initial_prompt: str = Field(
        default="",
        max_length=4096,
        description="Words that the model should expect, such as names and terms; at most 223 "
        "Whisper tokens.",
    )
    word_timestamps: bool = Field(
        default=False, description="Give each word its time and probability in the JSON."
    )
    audio_context: AudioContext = Field(
        default=AudioContext.FULL,
        description="full: encode 30 s for every window, as Whisper was trained. window: encode "
        "the window and 5 s more, which is faster and changes a word now and then.",
    )
