"""Subtitles as cues: which text is shown from when to when.

As openai-whisper lays them out: a cue for each segment, or, with a line width and a line count,
cues as full as they can be across segments. Unlike there, no cue is without a length, none overlaps
the next one of its channel, and none ends after the recording.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from transcription_contract.options import Subtitles
from whisper_transcriber.decoding.formats.lines import columns, wrap
from whisper_transcriber.decoding.formats.printable import one_line
from whisper_transcriber.decoding.spans import SHORTEST, Span, spaced
from whisper_transcriber.decoding.transcript import (
    Segment,
    Transcript,
    last_millisecond,
    milliseconds,
)

_LONG_PAUSE = 3000
"""Milliseconds between the starts of two words that never share a cue."""


@dataclass(frozen=True)
class Word:
    """Printable text with the spaces around it; milliseconds."""

    text: str
    start: int
    end: int

    def at(self, offset: int) -> int:
        """The moment when the character at an offset is spoken; spaces take no time."""
        indent = len(self.text) - len(self.text.lstrip())
        length = len(self.text.strip())
        share = min(max(offset - indent, 0), length) / max(length, 1)
        return self.start + round((self.end - self.start) * share)


@dataclass(frozen=True)
class Piece:
    """A word, or the part of it that stands in a line."""

    text: str
    start: int
    end: int


_Line = tuple[Piece, ...]
_Lines = tuple[_Line, ...]


@dataclass(frozen=True)
class Cue:
    """What is shown at once. ``lines``: each in pieces. ``spoken``: (line, piece) to highlight."""

    start: int
    end: int
    lines: _Lines
    channel: int | None = None
    spoken: tuple[int, int] | None = None


def cues(transcript: Transcript, layout: Subtitles, label: str = "") -> list[Cue]:
    """All cues in order of time; those of different channels may overlap.

    Args:
        transcript: the recording's.
        layout: how cues are laid out.
        label: what the file writes before the text of each cue, as wide as it can get; it counts
            towards the first line.
    """
    last = last_millisecond(transcript.duration)
    by_channel = sorted(transcript.segments, key=lambda segment: segment.channel or 0)
    found = [
        cue
        for channel, segments in groupby(by_channel, key=lambda segment: segment.channel)
        for cue in _of_channel(list(segments), channel, layout, columns(label), last)
    ]
    return sorted(found, key=lambda cue: (cue.start, cue.channel or 0))


def _of_channel(
    segments: Sequence[Segment], channel: int | None, layout: Subtitles, label: int, last: int
) -> Iterator[Cue]:
    blocks = _blocks(segments, layout, label) if layout.need_words else _whole(segments)
    spans = spaced([(lines[0][0].start, lines[-1][-1].end) for lines in blocks], last)
    for lines, (start, end) in zip(blocks, spans, strict=True):
        cue = Cue(start, end, lines, channel)
        yield from _highlighted(cue) if layout.highlight_words else [cue]


def _whole(segments: Sequence[Segment]) -> list[_Lines]:
    """Each segment as one line."""
    return [
        ((Piece(one_line(each.text).strip(), *_times(each.start, each.end)),),) for each in segments
    ]


def _blocks(segments: Sequence[Segment], layout: Subtitles, label: int) -> list[_Lines]:
    count = layout.max_line_count if layout.max_line_width else None
    room = _room(layout.max_line_width, count, label)
    found: list[_Lines] = []
    for words in _paragraphs(segments, within_segments=count is None):
        lines = _lines(words, room)
        step = count or max(1, len(lines))
        found += [tuple(lines[first : first + step]) for first in range(0, len(lines), step)]
    return found


def _room(width: int | None, count: int | None, label: int) -> Callable[[int], int]:
    """The columns of each line: the first of a cue is shared with a label that leaves enough."""
    if width is None:
        return lambda _: 1 << 30
    shorter = width - label if width - label >= width // 2 else width
    return lambda line: shorter if (line % count if count else line) == 0 else width


def _paragraphs(segments: Sequence[Segment], *, within_segments: bool) -> Iterator[list[Word]]:
    """Words that may share cues: a segment's, or all without a long pause."""
    if within_segments:
        yield from map(_words, segments)
        return
    words: list[Word] = []
    for word in (word for segment in segments for word in _words(segment)):
        if words and word.start - words[-1].start > _LONG_PAUSE:
            yield words
            words = []
        words.append(word)
    yield words


def _lines(words: Sequence[Word], room: Callable[[int], int]) -> list[_Line]:
    text, owners = "", []
    for word in words:
        said = word.text.lstrip() if text[-1:].isspace() else word.text
        owners.append((replace(word, text=said), len(text)))
        text += said
    lines: list[_Line] = []
    first = 0
    for start, end in wrap(text, room):
        while owners[first][1] + len(owners[first][0].text) <= start:
            first += 1
        lines.append(tuple(_pieces(owners, first, start, end)))
    return lines


def _pieces(
    owners: Sequence[tuple[Word, int]], first: int, start: int, end: int
) -> Iterator[Piece]:
    """What stands of each word, from the first that does, between two offsets of the text."""
    for word, begin in islice(owners, first, None):
        if begin >= end:
            return
        since, until = max(start - begin, 0), min(end - begin, len(word.text))
        if text := word.text[since:until]:
            yield Piece(text, word.at(since), word.at(until))


def _words(segment: Segment) -> list[Word]:
    """The segment's words; where they or their times are missing, its text's, in shares of it."""
    start, end = _times(segment.start, segment.end)
    if segment.words and "".join(word.text for word in segment.words) == segment.text:
        words = [Word(one_line(word.text), *_times(word.start, word.end)) for word in segment.words]
        if words[-1].end - words[0].start >= SHORTEST * len(words):
            return words
    said = one_line(segment.text)
    whole = Word(said, start, end)
    return [
        Word(found[0], whole.at(found.start()), whole.at(found.end()))
        for found in re.finditer(r"\s*\S+", said)
    ]


def _times(start: float, end: float) -> Span:
    return milliseconds(start), milliseconds(end)


def _highlighted(cue: Cue) -> Iterator[Cue]:
    """A cue for each of its words while that is spoken, and between two words without one."""
    every = [
        ((number, place), piece)
        for number, line in enumerate(cue.lines)
        for place, piece in enumerate(line)
    ]
    length = cue.end - cue.start
    if length < SHORTEST * len(every):
        yield cue
        return
    spans = spaced([(each.start - cue.start, each.end - cue.start) for _, each in every], length)
    shown = 0
    for (place, _), (start, end), (following, _) in zip(
        every, spans, [*spans[1:], (length, length)], strict=True
    ):
        if start - shown >= SHORTEST:
            yield replace(cue, start=cue.start + shown, end=cue.start + start)
            shown = start
        shown, begin = (following if following - end < SHORTEST else end), shown
        yield replace(cue, start=cue.start + begin, end=cue.start + shown, spoken=place)
    if shown < length:
        yield replace(cue, start=cue.start + shown)
