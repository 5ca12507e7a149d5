"""An engine that hears what a test tells it to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.protocol import (
    DecodedSegment,
    DecodingResult,
    RecordingResult,
    Word,
)

GOOD = DecodingResult(
    phrases=(),
    exhausted=False,
    temperature=0.0,
    avg_logprob=-0.2,
    compression_ratio=1.2,
    no_speech_prob=0.01,
)


def heard(
    *phrases: tuple[float, float | None, str],
    exhausted: bool = False,
    tokens: Sequence[int] | None = None,
    **figures: float,
) -> DecodingResult:
    """A result with these (start, end, text), good but for what is said of it; ``tokens``: how many
    each has, as many as people say in its time unless stated."""
    counts = tokens or [round(4 * ((end or 30.0) - start)) for start, end, _ in phrases]
    spoken = tuple(
        DecodedSegment(start, end, text, tuple(range(count)))
        for (start, end, text), count in zip(phrases, counts, strict=True)
    )
    return replace(GOOD, phrases=spoken, exhausted=exhausted, **figures)


def aligned(
    *words: tuple[float, float, str], exhausted: bool = False, **figures: float
) -> DecodingResult:
    """A result without timestamps, of these words with a token each."""
    spoken = tuple(
        Word(start, end, text, 0.9, (number,)) for number, (start, end, text) in enumerate(words)
    )
    phrase = DecodedSegment(
        0.0, None, "".join(word.text for word in spoken), tuple(range(len(words))), spoken
    )
    return replace(GOOD, phrases=(phrase,), exhausted=exhausted, aligned=True, **figures)


def ramp(start: int, stop: int) -> Waveform:
    """A recording whose samples are their own positions: it shows which window an engine got."""
    return np.arange(start, stop, dtype=np.float32)


def silence(start: int, stop: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """A recording without a sound."""
    return np.zeros(stop - start, np.int16)


def item_of(read: Callable[[int, int], Any]) -> Callable[[int, int, int, int], Any]:
    """A reader of items that are all the same recording."""
    return lambda _item, start, stop, _lane: read(start, stop)


class FakeEngine:
    """Answers with ``answer(start, stop, temperature)`` for windows cut from ``ramp``."""

    identity = "fake"
    description = "fake on nothing"
    only_language: str | None = None
    aligned = False

    def __init__(
        self,
        answer: Callable[[int, int, float], DecodingResult] = lambda *_: GOOD,
        ballots: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self.answer = answer
        self.ballots = ballots
        self.calls: list[tuple[list[tuple[int, int]], float, int]] = []

    def check_language(self, language: str) -> None:
        """Knows every language."""

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """The ballots that it was given."""
        return list(self.ballots[: len(windows)])

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """One answer for each window."""
        assert len(windows) == len(languages)
        stretches = [(int(window[0]), int(window[-1]) + 1) for window in windows]
        self.calls.append((stretches, temperature, seed))
        return [self.answer_to(window, temperature) for window in windows]

    def answer_to(self, window: Waveform, temperature: float) -> DecodingResult:
        """By where the window lies."""
        return self.answer(int(window[0]), int(window[-1]) + 1, temperature)

    def transcribe(
        self, recording: Waveform, language: str | None, at_each_window: Callable[[], None]
    ) -> RecordingResult:
        """Says how many samples it got."""
        at_each_window()
        return RecordingResult(
            language or "en", ({"start": 0.0, "end": 1.0, "text": f" {len(recording)}"},)
        )
