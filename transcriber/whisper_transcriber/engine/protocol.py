"""What the rest of the program knows of a speech recogniser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from whisper_transcriber.audio.samples import Waveform


@dataclass(frozen=True)
class Word:
    """A word with its punctuation and the space before it; seconds from the window's beginning."""

    start: float
    end: float
    text: str
    probability: float
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class DecodedSegment:
    """Text between two timestamps; seconds from the window's beginning.

    ``tokens``: with its two timestamps if the model wrote any. ``end`` is None when the model never
    closed it. ``words``: in order, together the text; empty unless the engine timed them.
    """

    start: float
    end: float | None
    text: str
    tokens: tuple[int, ...]
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class DecodingResult:
    """What the model made of one window, with openai-whisper's figures for it.

    ``exhausted``: it stopped for want of room, not because it was done. ``aligned``: the model
    wrote no timestamps, and the only phrase is all of the text, timed by its words.
    """

    phrases: tuple[DecodedSegment, ...]
    exhausted: bool
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    aligned: bool = False


@dataclass(frozen=True)
class RecordingResult:
    """What openai-whisper's transcribe() made of one whole recording.

    ``segments``: as it returns them: id, seek, start, end, text, tokens, temperature, avg_logprob,
    compression_ratio, no_speech_prob, and words where they were asked for.
    """

    language: str
    segments: tuple[Mapping[str, Any], ...]


class Engine(Protocol):
    """A loaded model, bound to one task and its options."""

    @property
    def identity(self) -> str:
        """What its text depends on: the decoding loop's version, and the precision.

        Workers of one job share what they have decoded if this is equal; device, drivers and the
        libraries' versions are not part of it.
        """

    @property
    def description(self) -> str:
        """What it runs on: the libraries' versions, device and precision, for people."""

    @property
    def aligned(self) -> bool:
        """Whether ``decode`` writes no timestamps. It then wants speech without the pauses, in
        which such a model ends its text too early.
        """

    def check_language(self, language: str) -> None:
        """Raises LanguageUnknown unless the model knows the language code."""

    @property
    def only_language(self) -> str | None:
        """The language of a model that knows just one."""

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """For each window, the probability of each language code."""

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """Decode windows of at most 30 s as one batch.

        Args:
            windows: one-dimensional waveforms at 16 kHz.
            languages: a language code for each window.
            temperature: 0 is greedy; above, words are drawn at random from ``seed``.

        Raises:
            OutOfMemory: one window alone is too much for the device.
        """

    def transcribe(
        self, recording: Waveform, language: str | None, at_each_window: Callable[[], None]
    ) -> RecordingResult:
        """openai-whisper's own transcribe() on a whole recording, with its defaults.

        Args:
            recording: one-dimensional, at 16 kHz.
            language: a language code, or None to let it choose.
            at_each_window: called before each window is encoded; what it raises ends the call.
        """
