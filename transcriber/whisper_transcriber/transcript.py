"""From the parts' segments to one transcript: pure."""

from collections.abc import Iterable

from transcription_contract.base import Model

_DECIMALS = 3
"""Milliseconds, as subtitles have them; Whisper's own grid is 20 ms."""


class Segment(Model):
    """A stretch of text with openai-whisper's figures for it.

    ``start``, ``end``: seconds from the recording's beginning. ``seek``: the beginning of the
    window that it was heard in, in 10 ms frames. ``tokens``: with their timestamps.
    """

    seek: int
    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


def join(segments: Iterable[Segment], duration: float) -> list[Segment]:
    """Segments in order of time: none overlaps another or ends after the audio; no text is lost.

    Args:
        segments: of one recording, in any order.
        duration: the recording's length in seconds.
    """
    joined: list[Segment] = []
    for segment in sorted(segments, key=lambda each: (each.start, each.end)):
        if not segment.text.strip():
            continue
        start, end = _inside(segment.start, duration), _inside(segment.end, duration)
        if joined and start < joined[-1].end:
            previous = joined[-1]
            joined[-1] = previous.model_copy(update={"end": max(previous.start, start)})
        joined.append(segment.model_copy(update={"start": start, "end": max(start, end)}))
    return joined


def text(segments: Iterable[Segment]) -> str:
    """The whole text, as openai-whisper puts it together."""
    return "".join(segment.text for segment in segments)


def _inside(seconds: float, duration: float) -> float:
    return round(min(max(0.0, seconds), duration), _DECIMALS)
