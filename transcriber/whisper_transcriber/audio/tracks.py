"""A recording's audio tracks, as ffmpeg lists them, and which of them are transcribed: pure."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from transcription_contract.options import SourceAudio

AUTO = SourceAudio()
"""The default: the mix of one track."""

_INPUT = re.compile(r"\[info\] Input #0, (.+), from '")
_STREAM = re.compile(
    r"\[info\]   Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: Audio: (\w+)(.*)"
)
_RATE = re.compile(r", (\d+) Hz, ([^,]+)")
_END = ("[info] Output #", "[info] Stream mapping:")
_LAYOUTS = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8,
            "hexadecagonal": 16}  # fmt: skip
_FOR_FEW = ("(visual impaired)", "(hearing impaired)", "(comment)", "(descriptions)")


class Track(NamedTuple):
    """An audio track. ``stream``: ffmpeg's number of it among all streams, from 0 on.

    ``channels``, ``sample_rate``: 0 where ffmpeg does not know. ``is_special``: a commentary, or a
    description for people who cannot see or hear.
    """

    stream: int
    codec: str
    sample_rate: int = 0
    channels: int = 0
    is_default: bool = False
    is_special: bool = False


class TrackListing:
    """What ffmpeg says of its input, line by line. ``container``: its name of the format."""

    def __init__(self) -> None:
        self.container = ""
        self.tracks: list[Track] = []
        self._ended = False

    def take(self, line: str) -> None:
        """Take note of a line."""
        if self._ended or not line.startswith("[info]"):
            return
        if line.startswith(_END):
            self._ended = True
        elif said := _INPUT.match(line):
            self.container = said[1]
        elif said := _STREAM.match(line):
            self.tracks.append(_track(int(said[1]), said[2], said[3]))


def _track(stream: int, codec: str, rest: str) -> Track:
    if codec == "none" and (tag := re.match(r" \((\S{4}) /", rest)):
        codec = tag[1]
    rate = _RATE.search(rest)
    return Track(
        stream=stream,
        codec=codec,
        sample_rate=int(rate[1]) if rate else 0,
        channels=_channels(rate[2]) if rate else 0,
        is_default="(default)" in rest,
        is_special=any(mark in rest for mark in _FOR_FEW),
    )


def _channels(layout: str) -> int:
    """The number of channels in a layout such as "5.1(side)" or "3 channels"."""
    name = layout.partition("(")[0].strip()
    if name in _LAYOUTS:
        return _LAYOUTS[name]
    if said := re.match(r"(\d+) channels", name):
        return int(said[1])
    return sum(int(part) for part in name.split(".") if part.isdecimal())


def chosen(tracks: Sequence[Track], audio: SourceAudio, excluded: Collection[int]) -> list[int]:
    """The positions in ``tracks`` of those to transcribe; empty when there is none.

    Args:
        excluded: positions that cannot be decoded, or are silent.
    """
    left = [number for number in range(len(tracks)) if number not in excluded]
    if audio.track == "all":
        return left
    if audio.track != "auto":
        return [number for number in left if number == int(audio.track) - 1]
    left.sort(key=lambda each: (not tracks[each].is_default, tracks[each].is_special, each))
    return left[:1]


def first_guess(audio: SourceAudio) -> list[int] | None:
    """The positions that are right for most recordings, before any listing; None: every track."""
    if audio.track == "all":
        return None
    return [0 if audio.track == "auto" else int(audio.track) - 1]
