"""AudioCache of synthetic speech that the demo model understands."""

import io
import random
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dev import vocabulary

RATE = 16_000

_VOICES = ("en", "en-us", "en-gb")


@dataclass(frozen=True)
class Recording:
    """``samples``: 16-bit at 16 kHz. ``words``: what is said, lower case."""

    samples: NDArray[np.int16]
    words: list[str]

    @property
    def text(self) -> str:
        """All words, with spaces between."""
        return " ".join(self.words)

    def encode(self, path: Path, *arguments: str) -> Path:
        """Write the recording in the format that the file's extension names."""
        subprocess.run(
            ["ffmpeg", "-y", "-loglevel", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1",
             "-i", "-", *arguments, str(path)],
            input=self.samples.astype("<i2").tobytes(),
            check=True,
        )  # fmt: skip
        return path


def speak(seconds: float, seed: int = 1) -> Recording:
    """Sentences with pauses, at least ``seconds`` long; the same seed gives the same samples."""
    rng = random.Random(seed)
    pieces: list[NDArray[np.int16]] = []
    words: list[str] = []
    sentences = vocabulary.sentences(rng)
    while sum(map(len, pieces)) < seconds * RATE:
        sentence = next(sentences)
        words += sentence
        pieces.append(_say(sentence, rng.choice(_VOICES), rng.randint(135, 175)))
        pieces.append(np.zeros(int(rng.uniform(0.3, 1.2) * RATE), np.int16))
    return Recording(np.concatenate(pieces), words)


def _say(words: Sequence[str], voice: str, words_per_minute: int) -> NDArray[np.int16]:
    said = subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout",
         " ".join(words).capitalize() + "."],
        capture_output=True,
        check=True,
    ).stdout  # fmt: skip
    with wave.open(io.BytesIO(said)) as wav:
        rate = wav.getframerate()
    # espeak cannot know the length of what it streams: the header's is nonsense.
    samples = np.frombuffer(said[44:], "<i2").astype(np.float64)
    positions = np.arange(int(len(samples) * RATE / rate)) * (rate / RATE)
    resampled: NDArray[np.int16] = np.interp(positions, np.arange(len(samples)), samples).astype(
        np.int16
    )
    return resampled
