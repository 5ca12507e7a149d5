"""Plain text (txt) and tab-separated values (tsv): a line for each segment."""

from whisper_transcriber.decoding.formats.printable import one_line
from whisper_transcriber.decoding.transcript import Segment, Transcript, milliseconds


def txt(transcript: Transcript) -> str:
    """Lines of text; with separate channels, the channel where it changes."""
    lines: list[str] = []
    before: int | None = None
    for segment in transcript.segments:
        changed = segment.channel is not None and segment.channel != before
        label = f"{transcript.voice(segment.channel)}: " if changed and segment.channel else ""
        lines.append(f"{label}{one_line(segment.text).strip()}\n")
        before = segment.channel
    return "".join(lines)


def tsv(transcript: Transcript) -> str:
    """Start and end in milliseconds, the text, and the channel where channels are separate."""
    separate = any(segment.channel is not None for segment in transcript.segments)
    header = "start\tend\ttext" + ("\tchannel" if separate else "")
    rows = (_row(segment, separate=separate) for segment in transcript.segments)
    return "".join(f"{line}\n" for line in (header, *rows))


def _row(segment: Segment, *, separate: bool) -> str:
    said = one_line(segment.text).strip()
    if said.startswith('"'):
        # Readers of CSV take a field that begins with a quote for one that goes on to the next.
        said = f" {said}"
    row = f"{milliseconds(segment.start)}\t{milliseconds(segment.end)}\t{said}"
    return f"{row}\t{segment.channel or ''}" if separate else row
