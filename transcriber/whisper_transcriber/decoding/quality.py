"""Judging a window's text by openai-whisper's thresholds: pure."""

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from transcription_contract.decoding import Decoding, SuspectText
from whisper_transcriber.decoding.transcript import Suspicion
from whisper_transcriber.engine.protocol import DecodingResult

CHARACTERS_PER_SECOND = 40
"""More than anybody says: fast speech has 20 to 25 letters a second."""

CHARACTERS_AT_ONCE = 20
"""Allowed on top, since the detector may find only part of a short word."""

_WIDE = 3
"""Letters that an ideograph, a kana or a Korean syllable counts for."""

_REPETITIONS = 3
"""A text that ran out of room and ends with the same characters so many times is a loop."""


@dataclass(frozen=True)
class Thresholds:
    """The job's thresholds, with openai-whisper's names, as numbers.

    ``temperatures``: in the order in which they are tried. ``detected``: whether a voice activity
    detector chose the windows, so that somebody probably speaks in them.
    """

    temperatures: tuple[float, ...]
    compression_ratio: float
    logprob: float
    no_speech: float
    suspect_text: SuspectText
    detected: bool

    @classmethod
    def of(cls, decoding: Decoding) -> "Thresholds":
        """The numbers of a job's options."""
        return cls(
            temperatures=tuple(map(float, decoding.temperature)),
            compression_ratio=float(decoding.compression_ratio_threshold),
            logprob=float(decoding.logprob_threshold),
            no_speech=float(decoding.no_speech_threshold),
            suspect_text=decoding.suspect_text,
            detected=decoding.vad.enabled,
        )

    def suspicions(self, decoded: DecodingResult, spoken: float) -> tuple[Suspicion, ...]:
        """What is wrong with a result; empty if it passes all thresholds.

        Args:
            decoded: an attempt at a window.
            spoken: seconds of speech in the window.
        """
        found = {
            Suspicion.LOW_PROBABILITY: decoded.avg_logprob < self.logprob,
            Suspicion.LOOP: self.loops(decoded),
            Suspicion.NO_SPEECH: self.is_silent(decoded),
            Suspicion.RATE: is_too_fast(text_of(decoded), spoken),
        }
        return tuple(suspicion for suspicion, holds in found.items() if holds)

    def is_silent(self, decoded: DecodingResult) -> bool:
        """openai-whisper's rule: probably no speech, and improbable text."""
        return decoded.no_speech_prob > self.no_speech and decoded.avg_logprob < self.logprob

    def loops(self, decoded: DecodingResult) -> bool:
        """Whether the text repeats itself."""
        text = text_of(decoded)
        return repetition(text) > self.compression_ratio or (
            decoded.exhausted and ends_in_a_loop(text)
        )

    def best(self, attempts: Sequence[DecodingResult], spoken: float) -> DecodingResult:
        """The attempt to keep if none passes.

        One that does not loop, of these one that can be said in the time, of these the one with the
        highest average log-probability, of these the first.
        """
        return max(
            attempts,
            key=lambda each: (
                not self.loops(each),
                not is_too_fast(text_of(each), spoken),
                each.avg_logprob,
            ),
        )


def text_of(decoded: DecodingResult) -> str:
    """All of a result's text."""
    return "".join(phrase.text for phrase in decoded.phrases)


def repetition(text: str) -> float:
    """How far a text compresses, counted in characters.

    openai-whisper counts the bytes of UTF-8, of which three make a letter in most of Asia: correct
    Tamil is at 2.8 there, correct English at 1.4, and both are at 1.5 here.
    """
    text = text.strip()
    numbers = {character: number % 256 for number, character in enumerate(dict.fromkeys(text))}
    return len(text) / len(zlib.compress(bytes(numbers[character] for character in text)))


def ends_in_a_loop(text: str) -> bool:
    """Whether the end of a text is the same characters at least three times."""
    text = text.strip().rstrip("\N{REPLACEMENT CHARACTER}")
    return any(
        text.endswith(text[-period:] * _REPETITIONS)
        for period in range(1, len(text) // _REPETITIONS + 1)
    )


def is_too_fast(text: str, seconds: float) -> bool:
    """Whether a text is longer than what anybody says in so many seconds of speech."""
    length = sum(
        _WIDE if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if character.isalnum()
    )
    return length > CHARACTERS_PER_SECOND * seconds + CHARACTERS_AT_ONCE
