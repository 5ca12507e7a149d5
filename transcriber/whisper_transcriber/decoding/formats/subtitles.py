"""SubRip (srt) and WebVTT (vtt) files."""

import re
from collections.abc import Callable

from transcription_contract.options import Subtitles
from whisper_transcriber.decoding.formats.cues import Cue, cues
from whisper_transcriber.decoding.transcript import Transcript

_ARROW = re.compile("-{2,}>")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def srt(transcript: Transcript, layout: Subtitles) -> str:
    """SubRip: it knows no escapes, so an arrow in the text becomes ->.

    Each cue of a recording with separate channels begins with its channel.
    """
    channels = [each.channel for each in transcript.segments if each.channel is not None]
    widest = f"{transcript.voice(max(channels))}: " if channels else ""
    return "".join(
        f"{number}\n{_timing(cue, ',', hours=True)}\n{_srt_text(cue, transcript)}\n\n"
        for number, cue in enumerate(cues(transcript, layout, widest), start=1)
    )


def vtt(transcript: Transcript, layout: Subtitles) -> str:
    """WebVTT (https://www.w3.org/TR/webvtt1/); separate channels are voices."""
    return "WEBVTT\n\n" + "".join(
        f"{_timing(cue, '.', hours=False)}\n{_vtt_text(cue, transcript)}\n\n"
        for cue in cues(transcript, layout)
    )


def _srt_text(cue: Cue, transcript: Transcript) -> str:
    label = "" if cue.channel is None else f"{transcript.voice(cue.channel)}: "
    return _ARROW.sub("->", label + _text(cue, str))


def _vtt_text(cue: Cue, transcript: Transcript) -> str:
    voice = "" if cue.channel is None else f"<v {transcript.voice(cue.channel)}>"
    return voice + _text(cue, lambda said: said.translate(_ESCAPED))


def _text(cue: Cue, escaped: Callable[[str], str]) -> str:
    return "\n".join(
        "".join(
            _underlined(piece.text, escaped) if (line, place) == cue.spoken else escaped(piece.text)
            for place, piece in enumerate(pieces)
        )
        for line, pieces in enumerate(cue.lines)
    )


def _underlined(said: str, escaped: Callable[[str], str]) -> str:
    indent = said[: len(said) - len(said.lstrip())]
    return f"{indent}<u>{escaped(said.lstrip())}</u>"


def _timing(cue: Cue, marker: str, *, hours: bool) -> str:
    stamps = (_stamp(moment, marker, hours=hours) for moment in (cue.start, cue.end))
    return " --> ".join(stamps)


def _stamp(moment: int, marker: str, *, hours: bool) -> str:
    seconds, milliseconds = divmod(moment, 1000)
    minutes, seconds = divmod(seconds, 60)
    whole_hours, minutes = divmod(minutes, 60)
    before = f"{whole_hours:02d}:" if hours or whole_hours else ""
    return f"{before}{minutes:02d}:{seconds:02d}{marker}{milliseconds:03d}"
