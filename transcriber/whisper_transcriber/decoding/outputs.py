"""A transcript as files: the same input always gives the same bytes. Pure.

Subtitles and text are written by openai-whisper's own writers, so that they are what its users
know; the JSON has its schema and a few facts more. What was said is never trusted: it can end no
line, no cue and no field, and nothing in it is markup.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.decoding.transcript import Segment, Word, text

CONTENT_TYPES: dict[OutputFormat, str] = {
    OutputFormat.JSON: "application/json",
    OutputFormat.SRT: "application/x-subrip; charset=utf-8",
    OutputFormat.VTT: "text/vtt; charset=utf-8",
    OutputFormat.TXT: "text/plain; charset=utf-8",
    OutputFormat.TSV: "text/tab-separated-values; charset=utf-8",
}

PLAIN = Subtitles()
"""Each segment is a cue of one line."""

_BREAKS = re.compile(r"\s{2,}|[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_MASKS = "\ue000\ue001\ue002"
_UNPRINTABLE = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_MASKS}]")
_MARKUP = "<>&"
_MASKED = str.maketrans(_MARKUP, _MASKS)
_UNMASKED = str.maketrans(_MASKS, _MARKUP)
_ESCAPED = str.maketrans(dict(zip(_MASKS, ("&lt;", "&gt;", "&amp;"), strict=True)))
_ARROW = re.compile(f"-{{2,}}{_MASKS[1]}")


@dataclass(frozen=True)
class Transcript:
    """A recording's whole text. ``duration`` in seconds."""

    segments: Sequence[Segment]
    language: str
    duration: float
    source: str
    model: str
    model_sha256: str
    task: str


def render(
    transcript: Transcript, output_format: OutputFormat, subtitles: Subtitles = PLAIN
) -> bytes:
    """The transcript in one format, UTF-8; ``subtitles`` lays out srt and vtt."""
    if output_format is OutputFormat.JSON:
        return _json(transcript)
    in_cues = output_format in (OutputFormat.SRT, OutputFormat.VTT)
    written = _by_whisper(transcript, output_format, subtitles if in_cues else PLAIN)
    return _unmasked(written, output_format).encode()


def _json(transcript: Transcript) -> bytes:
    content: dict[str, Any] = {
        "text": text(transcript.segments),
        "segments": _segments(transcript),
        "language": transcript.language,
        "duration": transcript.duration,
        "task": transcript.task,
        "model": transcript.model,
        "model_sha256": transcript.model_sha256,
        "source": transcript.source,
    }
    # A lone surrogate has no UTF-8.
    return json.dumps(content, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


def _segments(transcript: Transcript) -> list[dict[str, Any]]:
    timed = any(segment.words for segment in transcript.segments)
    return [
        {
            "id": number,
            "seek": segment.seek,
            "start": segment.start,
            "end": segment.end,
            "text": segment.text,
            "tokens": list(segment.tokens),
            "temperature": segment.temperature,
            "avg_logprob": segment.avg_logprob,
            "compression_ratio": segment.compression_ratio,
            "no_speech_prob": segment.no_speech_prob,
            **({"words": [_word(word) for word in segment.words]} if timed else {}),
        }
        for number, segment in enumerate(transcript.segments)
    ]


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": word.start,
        "end": word.end,
        "probability": word.probability,
    }


def _by_whisper(transcript: Transcript, output_format: OutputFormat, layout: Subtitles) -> str:
    # Imported here: it imports torch, which takes seconds.
    from whisper.utils import get_writer  # type: ignore[import-untyped]

    segments = [
        {
            "start": segment.start,
            "end": segment.end,
            "text": _masked(segment.text),
            **({"words": list(_pieces(segment, layout))} if layout.need_words else {}),
        }
        for segment in transcript.segments
    ]
    file = StringIO()
    get_writer(output_format.value, output_dir="").write_result(
        {"segments": segments}, file=file, options=layout.model_dump()
    )
    return file.getvalue()


def _masked(said: str) -> str:
    """One line of printable text; what could be markup stays one character, so that the writers
    count widths as people see them."""
    return _UNPRINTABLE.sub("\ufffd", _BREAKS.sub(" ", said)).translate(_MASKED)


def _unmasked(written: str, output_format: OutputFormat) -> str:
    if output_format is OutputFormat.VTT:
        return written.translate(_ESCAPED)
    if output_format is OutputFormat.SRT:
        # It knows no escapes: as openai-whisper's writers have it, but for "--->", too.
        written = _ARROW.sub(f"-{_MASKS[1]}", written)
    if output_format is OutputFormat.TSV:
        # Readers of CSV take a field that begins with a quote for one that goes on to the next.
        written = written.replace('\t"', '\t "')
    return written.translate(_UNMASKED)


def _pieces(segment: Segment, layout: Subtitles) -> Iterator[dict[str, Any]]:
    """The words as openai-whisper's writers take them; longer ones than a line are cut."""
    width = layout.max_line_width
    blank = ""
    for word in _words(segment):
        said = blank + _masked(word.text)
        if not said.strip():
            # By itself it would become an empty line, which ends a cue.
            blank = said
            continue
        blank = ""
        indent = len(said) - len(said.lstrip())
        cuts = [0, *range(indent + width, len(said.rstrip()), width)] if width else [0]
        for start, end in zip(cuts, [*cuts[1:], len(said)], strict=True):
            yield {
                "word": said[start:end],
                "start": _share(word, start / len(said)),
                "end": _share(word, end / len(said)),
            }


def _words(segment: Segment) -> Sequence[Word]:
    """The segment's words; where they are missing, its text's, in shares of its time."""
    said = segment.text
    if segment.words and "".join(word.text for word in segment.words) == said:
        return segment.words
    whole = Word(start=segment.start, end=segment.end, text=said, probability=0.0)
    return [
        Word(
            start=_share(whole, found.start() / len(said)),
            end=_share(whole, found.end() / len(said)),
            text=found[0],
            probability=0.0,
        )
        for found in re.finditer(r"\s*\S+", said)
    ]


def _share(word: Word, part: float) -> float:
    """The moment after ``part`` of the word, in whole milliseconds."""
    return min(word.end, round(word.start + (word.end - word.start) * part, 3))
