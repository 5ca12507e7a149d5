"""Where an AVI is silent without having samples for it.

An AVI has no timestamps: a frame of sound that is not there is an empty chunk, which ffmpeg skips,
so that what follows would come too early.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from whisper_transcriber.audio.windows import SAMPLE_RATE

_MOST_CHUNKS = 20_000_000
_MOST_SILENCES = 100_000
"""Millions of them, which a small file can hold, would fill the memory."""


class Silence(NamedTuple):
    """``total`` samples of silence up to the position ``at``, which counts sound alone."""

    at: int
    total: int


class _Stream(NamedTuple):
    number: int
    frame_samples: float


def silences(path: Path, track: int) -> list[Silence]:
    """The silences of an AVI's audio track, in order.

    Args:
        track: from 0 on.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        streams = _audio_streams(head)
        if track >= len(streams):
            return []
        return _empty_chunks(path, head, streams[track])
    except struct.error:
        return []  # it is damaged, and ffmpeg says so


def _audio_streams(head: bytes) -> list[_Stream]:
    """The audio streams whose chunks are a frame each."""
    found: list[_Stream] = []
    position, number = head.find(b"strh"), 0
    while position >= 0:
        kind = head[position + 8 : position + 12]
        scale, rate = struct.unpack_from("<II", head, position + 28)
        (sample_bytes,) = struct.unpack_from("<I", head, position + 52)
        if kind == b"auds":
            is_framed = not sample_bytes and rate
            found.append(_Stream(number, SAMPLE_RATE * scale / rate if is_framed else 0.0))
        number += 1
        position = head.find(b"strh", position + 4)
    return found


def _empty_chunks(path: Path, head: bytes, stream: _Stream) -> list[Silence]:
    position = head.find(b"movi")
    if position < 0 or not stream.frame_samples:
        return []
    wanted = b"%02dwb" % stream.number
    found: list[Silence] = []
    sound = empty = told = 0
    size = path.stat().st_size
    position += 4
    with path.open("rb") as file:
        for _ in range(_MOST_CHUNKS):
            if position + 8 > size or len(found) == _MOST_SILENCES:
                break
            file.seek(position)
            name, length = struct.unpack("<4sI", file.read(8))
            if name in (b"LIST", b"RIFF"):
                position += 12
                continue
            if name == wanted and not length:
                empty += 1
            elif name == wanted:
                if empty > told:
                    found.append(_silence(sound, empty, stream))
                    told = empty
                sound += 1
            position += 8 + length + length % 2
    return found


def _silence(sound: int, empty: int, stream: _Stream) -> Silence:
    return Silence(round(sound * stream.frame_samples), round(empty * stream.frame_samples))
