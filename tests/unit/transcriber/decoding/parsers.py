"""Strict readers of subtitle and text files: what players refuse or drop, they refuse."""

import csv
import html
import io
import re
from typing import NamedTuple

from transcription_contract.options import OutputFormat


class Cue(NamedTuple):
    """Times in milliseconds; text without escapes and voices."""

    start: int
    end: int
    text: str
    voice: str = ""


SRT_STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3})"
VTT_STAMP = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
TAGS = re.compile(r"</?u>")


def cue(timing: str, stamp: str, lines: list[str]) -> Cue:
    found = re.fullmatch(f"{stamp} --> {stamp}", timing)
    assert found, timing
    numbers = [int(group or 0) for group in found.groups()]
    start, end = (
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds
        for hours, minutes, seconds, milliseconds in (numbers[:4], numbers[4:])
    )
    assert lines
    assert all(line.strip() for line in lines), "an empty line ends a cue"
    assert "-->" not in "\n".join(lines)
    return Cue(start, end, "\n".join(lines))


def blocks(content: str) -> list[list[str]]:
    """Separated by one empty line; ended by what WebVTT and SRT readers end lines at."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x85\u2028\u2029\ufeff]", content)
    assert content == "" or content.endswith("\n\n")
    assert "\n\n\n" not in content
    return [block.split("\n") for block in content.split("\n\n") if block]


def parse_srt(content: bytes) -> list[Cue]:
    found = blocks(content.decode())
    assert [lines[0] for lines in found] == [str(i) for i in range(1, len(found) + 1)]
    return [cue(lines[1], SRT_STAMP, lines[2:]) for lines in found]


def parse_vtt(content: bytes) -> list[Cue]:
    header, *found = blocks(content.decode())
    assert header == ["WEBVTT"]
    return [_voiced(cue(lines[0], VTT_STAMP, lines[1:])) for lines in found]


def _voiced(read: Cue) -> Cue:
    voice = re.match(r"<v ([^<>&\n]+)>", read.text)
    text = read.text[voice.end() :] if voice else read.text
    assert "<" not in TAGS.sub("", text)
    assert re.fullmatch(r"(?s)([^&]|&(amp|lt|gt);)*", text)
    assert text.count("<u>") == text.count("</u>") <= 1
    return read._replace(text=html.unescape(text), voice=voice[1] if voice else "")


def parse_tsv(content: bytes) -> list[Cue]:
    text = content.decode()
    header, *rows = [line.split("\t") for line in text.split("\n")[:-1]]
    assert header == ["start", "end", "text", "channel"][: len(header)]
    assert [[*row] for row in csv.reader(io.StringIO(text), delimiter="\t")] == [header, *rows]
    return [Cue(int(start), int(end), said, *voice) for start, end, said, *voice in rows]


def parse_txt(content: bytes) -> list[Cue]:
    return [Cue(0, 0, line) for line in content.decode().split("\n")[:-1]]


PARSERS = {
    OutputFormat.SRT: parse_srt,
    OutputFormat.VTT: parse_vtt,
    OutputFormat.TSV: parse_tsv,
    OutputFormat.TXT: parse_txt,
}
