"""How the recogniser works through the audio: the options below spec.decoding."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from transcription_contract.base import Model


class SuspectText(StrEnum):
    """Treatment of text that is improbable or repetitive after every retry."""

    KEEP = "keep"
    DROP = "drop"


class LanguagePer(StrEnum):
    """Scope of a detected language."""

    RECORDING = "recording"
    SLICE = "slice"


NUMBER_PATTERN = r"^-?[0-9]{1,3}(\.[0-9]{1,4})?$"

Number = Annotated[str, Field(pattern=NUMBER_PATTERN, max_length=9)]
"""A decimal number as a string: the Kubernetes API conventions rule out floats."""


class VoiceActivity(Model):
    """Parameters of the voice activity detector (Silero VAD)."""

    enabled: bool = Field(
        default=True,
        description="Detect speech and transcribe only that. false: transcribe everything. "
        "Defaults to true.",
    )
    threshold: Number = Field(
        default="0.5",
        description="Probability from which sound counts as speech, from 0 to 1. Defaults to 0.5.",
    )
    min_speech_milliseconds: int = Field(
        default=250,
        ge=0,
        le=60000,
        description="Shorter speech is ignored. In milliseconds; defaults to 250.",
    )
    min_silence_milliseconds: int = Field(
        default=100,
        ge=0,
        le=60000,
        description="Shorter silence does not end speech. In milliseconds; defaults to 100.",
    )
    padding_milliseconds: int = Field(
        default=200,
        ge=0,
        le=900,
        description="Sound kept before and after speech. In milliseconds; defaults to 200.",
    )


class DecodingMode(StrEnum):
    """Loop that decodes the audio: batches of windows, or openai-whisper's own."""

    BATCHED = "batched"
    SEQUENTIAL = "sequential"


class AudioContext(StrEnum):
    """Part of its 30 s that the encoder computes."""

    FULL = "full"
    WINDOW = "window"


class Timestamps(StrEnum):
    """Source of the segments' times."""

    AUTO = "auto"
    MODEL = "model"
    ALIGNMENT = "alignment"


class Decoding(Model):
    """Decoding options."""

    mode: DecodingMode = Field(
        default=DecodingMode.BATCHED,
        description="batched: decode windows of speech in batches that workers share. sequential: "
        "run openai-whisper's transcribe() on each recording, for its exact output; slow, in one "
        "worker, with the whole recording in memory. Defaults to batched.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Number of windows of speech decoded at once. Larger batches are faster until "
        "the GPU's memory is full. Defaults to the node pool's (8 on CPU, 32 on a GPU).",
    )
    beam_size: int = Field(
        default=5,
        ge=1,
        le=16,
        description="Beam size. 1 is greedy decoding, which is faster and makes more errors. "
        "Defaults to 5.",
    )
    initial_prompt: str = Field(
        default="",
        max_length=4096,
        description="Text that precedes every window, such as names and terms to expect; at most "
        "223 Whisper tokens. Defaults to none.",
    )
    hotwords: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(),
        max_length=200,
        description="Names and terms to expect, given to the model before every window. "
        "Duplicates count once; together with initialPrompt at most 223 Whisper tokens.",
    )
    suspect_text: SuspectText = Field(
        default=SuspectText.KEEP,
        description="Text that is improbable or repetitive after every retry. keep: deliver it, "
        "and flag its segments as suspect in the JSON. drop: leave it out, and count it. Defaults "
        "to keep.",
    )
    language_per: LanguagePer = Field(
        default=LanguagePer.RECORDING,
        description="With language auto: detect the language once for each recording, or for each "
        "slice of 30 minutes. Defaults to recording.",
    )
    temperature: tuple[Number, ...] = Field(
        default=("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"),
        min_length=1,
        max_length=8,
        description="Sampling temperatures, tried in order while a window fails the thresholds "
        "below (openai-whisper's temperature). Defaults to 0.0, 0.2, 0.4, 0.6, 0.8, 1.0.",
    )
    compression_ratio_threshold: Number = Field(
        default="2.4",
        description="Retry a window whose text is more repetitive than this (openai-whisper's "
        "compression_ratio_threshold, computed on characters). Defaults to 2.4.",
    )
    logprob_threshold: Number = Field(
        default="-1.0",
        description="Retry a window whose mean log-probability is below this (openai-whisper's "
        "logprob_threshold). Defaults to -1.0.",
    )
    no_speech_threshold: Number = Field(
        default="0.6",
        description="Take a window for silence if the model's probability of silence is above "
        "this and its text fails logprobThreshold (openai-whisper's no_speech_threshold). "
        "Defaults to 0.6.",
    )
    vad: VoiceActivity = Field(
        default=VoiceActivity(), description="Parameters of the voice activity detector."
    )
    window_seconds: int | None = Field(
        default=None,
        ge=5,
        le=30,
        description="Longest window of speech that is decoded at once, in seconds. Defaults to a "
        "value measured for the model's size.",
    )
    timestamps: Timestamps = Field(
        default=Timestamps.AUTO,
        description="Source of the segments' times. model: Whisper writes timestamps between the "
        "words. alignment: Whisper writes words only, faster and with fewer errors, and their "
        "times come from its attention. auto: alignment for OpenAI's weights; model for other "
        "weights and for translations. Defaults to auto.",
    )
    word_timestamps: bool = Field(
        default=False,
        description="Add the time and probability of each word to the JSON. Defaults to false.",
    )
    audio_context: AudioContext = Field(
        default=AudioContext.FULL,
        description="Audio that the encoder computes for each window. full: 30 s, as Whisper was "
        "trained. window: the window and 5 s more, which is faster and makes more errors. "
        "Defaults to full.",
    )
