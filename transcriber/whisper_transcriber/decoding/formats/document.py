"""JSON: openai-whisper's schema, and more about the recording and what it was transcribed with."""

import json
from typing import Any

from whisper_transcriber.decoding.transcript import Segment, Transcript, Word, text

Json = dict[str, Any]


def document(transcript: Transcript) -> bytes:
    """The file's bytes, UTF-8."""
    content: Json = {
        "text": text(transcript.segments),
        "segments": _segments(transcript),
        "language": transcript.language,
        "duration": transcript.duration,
        "task": transcript.task,
        "model": transcript.model,
        "model_sha256": transcript.model_sha256,
        "source": transcript.source,
        "audio": transcript.audio.model_dump(mode="json") if transcript.audio else None,
        "warnings": [
            each.model_dump(mode="json", exclude_none=True) for each in transcript.warnings
        ],
    }
    # A lone surrogate has no UTF-8.
    return json.dumps(content, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


def _segments(transcript: Transcript) -> list[Json]:
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
            **_additions(segment, transcript.language),
            **({"words": [_word(word, segment) for word in segment.words]} if timed else {}),
        }
        for number, segment in enumerate(transcript.segments)
    ]


def _additions(segment: Segment, language: str) -> Json:
    """What a segment has only where there is something to say."""
    found = _channel(segment)
    if segment.suspect:
        found["suspect"] = [each.value for each in segment.suspect]
    if segment.language not in (None, language):
        found["language"] = segment.language
    return found


def _channel(segment: Segment) -> Json:
    return {} if segment.channel is None else {"channel": segment.channel}


def _word(word: Word, segment: Segment) -> Json:
    return {
        "word": word.text,
        "start": word.start,
        "end": word.end,
        "probability": word.probability,
        **_channel(segment),
    }
