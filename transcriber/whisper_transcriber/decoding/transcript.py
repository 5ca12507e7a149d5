"""From the parts' segments to one transcript: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from transcription_contract.base import Model
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.decoding.spans import spaced
from whisper_transcriber.engine.protocol import RecordingResult

_DECIMALS = 3
"""Milliseconds, as subtitles have them; Whisper's own grid is 20 ms."""


class Word(Model):
    """A word with its punctuation and the space before it; seconds as its segment's."""

    start: float
    end: float
    text: str
    probability: float


class Suspicion(StrEnum):
    """Why a segment's text may be wrong."""

    LOW_PROBABILITY = "lowProbability"
    LOOP = "loop"
    NO_SPEECH = "noSpeech"
    RATE = "rate"


class Segment(Model):
    """A stretch of text with openai-whisper's figures for it.

    ``start``, ``end``: seconds from the recording's beginning. ``seek``: the beginning of the
    window that it was heard in, in 10 ms frames. ``tokens``: with their timestamps. ``words``: in
    order, together the text; empty unless they were asked for. ``suspect``: why the text may be
    wrong. ``channel``: counted from 1, where channels or tracks are transcribed separately.
    ``language``: None where it is the recording's.
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
    words: tuple[Word, ...] = ()
    suspect: tuple[Suspicion, ...] = ()
    channel: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Transcript:
    """A recording's whole text. ``duration`` in seconds.

    ``audio``: which sound was transcribed. ``warnings``: what a listener should know about it.
    """

    segments: Sequence[Segment]
    language: str
    duration: float
    source: str
    model: str
    model_sha256: str
    task: str
    audio: AudioFacts | None = None
    warnings: tuple[AudioWarning, ...] = ()

    def voice(self, channel: int) -> str:
        """What a channel is called: Channel 1, or Track 1 where each track is transcribed."""
        tracks = self.audio and self.audio.track is None and not self.audio.separate
        return f"{'Track' if tracks else 'Channel'} {channel}"


def from_passage(passage: RecordingResult) -> list[Segment]:
    """openai-whisper's own segments as ours."""
    return [_of_whisper(segment) for segment in passage.segments]


def join(segments: Iterable[Segment], duration: float) -> list[Segment]:
    """Segments in order of time, each with a length, none after the recording's end.

    Segments of different channels may overlap; within a channel none does. No text is lost. Times
    are whole milliseconds. Words stay within their segment, one after the other.

    Args:
        segments: of one recording, in any order; those of blanks alone are left out.
        duration: the recording's length in seconds.
    """
    order = sorted(
        (segment for segment in segments if segment.text.strip()),
        key=lambda each: (each.channel or 0, each.start, each.end),
    )
    joined = [
        segment
        for _, channel in groupby(order, key=lambda each: each.channel)
        for segment in _spaced(list(channel), last_millisecond(duration))
    ]
    return sorted(joined, key=lambda each: (each.start, each.channel or 0))


def milliseconds(seconds: float) -> int:
    """A time in whole milliseconds."""
    return round(seconds * 1000)


def last_millisecond(duration: float) -> int:
    """The last whole millisecond that is not after a duration in seconds."""
    whole = int(duration * 1000)
    return whole + 1 if (whole + 1) / 1000 <= duration else whole


def text(segments: Iterable[Segment]) -> str:
    """The whole text, as openai-whisper puts it together."""
    return "".join(segment.text for segment in segments)


def _of_whisper(segment: Mapping[str, Any]) -> Segment:
    # Its numbers may be numpy's.
    return Segment(
        seek=int(segment["seek"]),
        start=float(segment["start"]),
        end=float(segment["end"]),
        text=segment["text"],
        tokens=tuple(int(token) for token in segment["tokens"]),
        temperature=float(segment["temperature"]),
        avg_logprob=float(segment["avg_logprob"]),
        compression_ratio=float(segment["compression_ratio"]),
        no_speech_prob=float(segment["no_speech_prob"]),
        words=tuple(
            Word(
                start=float(word["start"]),
                end=float(word["end"]),
                text=word["word"],
                probability=float(word["probability"]),
            )
            for word in segment.get("words", ())
        ),
    )


def _spaced(segments: list[Segment], last: int) -> list[Segment]:
    spans = spaced([(milliseconds(s.start), milliseconds(s.end)) for s in segments], last)
    return [
        _with_words_inside(segment.model_copy(update={"start": start / 1000, "end": end / 1000}))
        for segment, (start, end) in zip(segments, spans, strict=True)
    ]


def _with_words_inside(segment: Segment) -> Segment:
    earliest, words = segment.start, []
    for word in segment.words:
        start = _within(word.start, earliest, segment.end)
        earliest = _within(word.end, start, segment.end)
        words.append(word.model_copy(update={"start": start, "end": earliest}))
    return segment.model_copy(update={"words": tuple(words)})


def _within(seconds: float, earliest: float, latest: float) -> float:
    """To whole milliseconds between two of them."""
    return min(max(earliest, round(seconds, _DECIMALS)), latest)
