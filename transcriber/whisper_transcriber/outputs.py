"""A transcript as files: the same input always gives the same bytes. Pure.

Subtitles and text are written by openai-whisper's own writers, so that they are what its users
know; the JSON has its schema and a few facts more.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from transcription_contract.options import OutputFormat
from whisper_transcriber.transcript import Segment, text

CONTENT_TYPES: dict[OutputFormat, str] = {
    OutputFormat.JSON: "application/json",
    OutputFormat.VTT: "text/vtt; charset=utf-8",
    OutputFormat.TXT: "text/plain; charset=utf-8",
}


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


def render(transcript: Transcript, output_format: OutputFormat) -> bytes:
    """The transcript in one format, UTF-8."""
    if output_format is OutputFormat.JSON:
        return _json(transcript)
    return _by_whisper(transcript, output_format)


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
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _by_whisper(transcript: Transcript, output_format: OutputFormat) -> bytes:
    # Imported here: it imports torch, which takes seconds.
    from whisper.utils import get_writer  # type: ignore[import-untyped]

    file = StringIO()
    writer = get_writer(output_format.value, output_dir="")
    writer.write_result({"segments": _segments(transcript)}, file=file, options={})
    return file.getvalue().encode()


def _segments(transcript: Transcript) -> list[dict[str, Any]]:
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
        }
        for number, segment in enumerate(transcript.segments)
    ]
