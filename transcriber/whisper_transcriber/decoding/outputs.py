"""A transcript as files: the same input always gives the same bytes. Pure."""

from transcription_contract.options import OutputFormat, Subtitles
from whisper_transcriber.decoding.formats.document import document
from whisper_transcriber.decoding.formats.subtitles import srt, vtt
from whisper_transcriber.decoding.formats.tables import tsv, txt
from whisper_transcriber.decoding.transcript import Transcript

__all__ = ["CONTENT_TYPES", "PLAIN", "Transcript", "render"]

CONTENT_TYPES: dict[OutputFormat, str] = {
    OutputFormat.JSON: "application/json",
    OutputFormat.SRT: "application/x-subrip; charset=utf-8",
    OutputFormat.VTT: "text/vtt; charset=utf-8",
    OutputFormat.TXT: "text/plain; charset=utf-8",
    OutputFormat.TSV: "text/tab-separated-values; charset=utf-8",
}

PLAIN = Subtitles()
"""Each segment is a cue of one line."""


def render(
    transcript: Transcript, output_format: OutputFormat, subtitles: Subtitles = PLAIN
) -> bytes:
    """The transcript in one format, UTF-8; ``subtitles`` lays out srt and vtt."""
    match output_format:
        case OutputFormat.JSON:
            return document(transcript)
        case OutputFormat.SRT:
            return srt(transcript, subtitles).encode()
        case OutputFormat.VTT:
            return vtt(transcript, subtitles).encode()
        case OutputFormat.TXT:
            return txt(transcript).encode()
        case OutputFormat.TSV:
            return tsv(transcript).encode()
