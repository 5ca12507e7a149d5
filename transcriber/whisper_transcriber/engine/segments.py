"""Whisper's tokens to phrases: pure."""

from collections.abc import Callable, Sequence

from whisper_transcriber.engine.protocol import DecodedSegment

SECONDS_PER_TIMESTAMP = 0.02
"""Two 10 ms mel frames make one position of the audio encoder (whisper.audio.TOKENS_PER_SECOND)."""


def phrases(
    tokens: Sequence[int],
    *,
    end_of_text: int,
    first_timestamp: int,
    to_text: Callable[[Sequence[int]], str],
) -> tuple[DecodedSegment, ...]:
    """Cut a window's tokens at their timestamps: one opens a phrase, the next one closes it.

    Args:
        tokens: as the model said them, without prompt and end.
        end_of_text: tokens from this one on are no text.
        first_timestamp: the token that stands for 0.00 s.
        to_text: text tokens to text.
    """
    found: list[DecodedSegment] = []
    current: list[int] = []
    start: float | None = None

    def close(end: float | None) -> None:
        words = to_text([token for token in current if token < end_of_text])
        if words.strip():
            found.append(DecodedSegment(start or 0.0, end, words, tuple(current)))

    for token in tokens:
        current.append(token)
        if token < first_timestamp:
            continue
        position = (token - first_timestamp) * SECONDS_PER_TIMESTAMP
        if start is None:
            start = position
        else:
            close(position)
            current, start = [], None
    close(None)
    return tuple(found)
