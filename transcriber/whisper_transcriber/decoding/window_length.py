"""How long a window may be in a language, so that its text fits into Whisper's 224 tokens: pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.windows import SAMPLE_RATE, Window, windows
from whisper_transcriber.decoding.coverage import speech_in

TOKENS = 150
"""Wanted in a window at most. 224 fit, and some people speak 1.4 times as fast as others."""

SHORTEST_SECONDS = 2.5
"""Less gives Whisper too little context."""

TOKENS_PER_SECOND = {
    "am": 21, "ar": 6, "as": 28, "bn": 28, "bo": 65, "el": 8, "gu": 35, "he": 6, "hi": 16,
    "hy": 15, "ja": 7, "ka": 35, "km": 33, "kn": 23, "lo": 43, "ml": 36, "mr": 18, "my": 60,
    "ne": 15, "pa": 37, "sa": 18, "si": 28, "ta": 17, "te": 24, "th": 10, "ur": 8, "vi": 6,
}  # fmt: skip
"""Of the multilingual tokenizer: article 1 of the Universal Declaration of Human Rights (the tests
have the texts), which takes about 12 s to read. Assamese and Sanskrit stand where Bengali and
Marathi do, whose script they share. English has 3; languages that are not here have less than 6."""

ReadIntegers = Callable[[int, int], NDArray[np.int16]]


def window_seconds(language: str, base: float) -> float:
    """The longest window in a language, in seconds.

    Args:
        language: Whisper's code.
        base: the longest window in any language.
    """
    pace = TOKENS_PER_SECOND.get(language)
    return base if pace is None else min(base, max(SHORTEST_SECONDS, TOKENS / pace))


def fitted(
    window: Window, language: str, read: ReadIntegers, *, joined: bool = False
) -> list[Window]:
    """A window cut at its pauses into windows that are short enough for its language.

    Args:
        window: of any length.
        language: the language that is spoken in it.
        read: the recording's samples between two positions.
        joined: pauses are left out of what is decoded.
    """
    length = speech_in(window) if joined else window.stop - window.start
    limit = window_seconds(language, length / SAMPLE_RATE)
    if length <= limit * SAMPLE_RATE:
        return [window]
    samples = round(limit * SAMPLE_RATE)
    return windows(window.item, window.speech, read, samples, window.lane, joined=joined)
