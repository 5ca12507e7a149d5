"""What the rest of the program knows of a speech recogniser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from whisper_transcriber.samples import Waveform


@dataclass(frozen=True)
class Phrase:
    """Text between two timestamps; seconds from the window's beginning.

    ``tokens``: with both timestamps. ``end`` is None when the model never closed it.
    """

    start: float
    end: float | None
    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Decoded:
    """What the model made of one window, with openai-whisper's figures for it.

    ``exhausted``: it stopped for want of room, not because it was done.
    """

    phrases: tuple[Phrase, ...]
    exhausted: bool
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class Engine(Protocol):
    """A loaded model, bound to one task and prompt."""

    @property
    def description(self) -> str:
        """What its results depend on: the libraries' versions, device and precision."""

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
        language: str,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Decoded]:
        """Decode windows of at most 30 s as one batch.

        Args:
            windows: one-dimensional waveforms at 16 kHz.
            language: a language code, pinned for all windows.
            temperature: 0 is greedy; above, words are drawn at random from ``seed``.

        Raises:
            OutOfMemory: one window alone is too much for the device.
        """
