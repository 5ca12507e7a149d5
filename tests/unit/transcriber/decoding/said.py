"""Segments and transcripts for tests."""

import re

from whisper_transcriber.decoding.transcript import Segment, Transcript, Word


def segment(
    start: float, end: float, said: str, words: tuple[Word, ...] = (), channel: int | None = None
) -> Segment:
    return Segment(
        seek=100,
        start=start,
        end=end,
        text=said,
        tokens=(50364, 1, 50464),
        temperature=0.0,
        avg_logprob=-0.1234,
        compression_ratio=1.5,
        no_speech_prob=0.01,
        words=words,
        channel=channel,
    )


def word(start: float, end: float, said: str) -> Word:
    return Word(start=start, end=end, text=said, probability=0.75)


def spoken(start: float, said: str, pace: float = 0.5) -> Segment:
    """A segment whose words take ``pace`` seconds each."""
    words = tuple(
        word(start + i * pace, start + (i + 1) * pace, each)
        for i, each in enumerate(re.findall(r"\s*\S+", said))
    )
    return segment(start, start + pace * len(words), said, words)


def transcript(*segments: Segment, duration: float = 3723.5) -> Transcript:
    return Transcript(
        segments=segments,
        language="en",
        duration=duration,
        source="s3://media/talk.mp3",
        model="demo.pt",
        model_sha256="0" * 64,
        task="transcribe",
    )
