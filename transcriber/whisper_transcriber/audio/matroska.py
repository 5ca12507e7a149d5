"""ffmpeg's output taken apart while it comes: samples, with the time that each piece begins at.

Matroska is the simplest of its formats that goes through a pipe and keeps timestamps.
"""

import struct
from typing import NamedTuple

_SEGMENT, _CLUSTER, _TRACKS, _ENTRY, _AUDIO = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xE1
_ENTERED = frozenset({_SEGMENT, _CLUSTER, _TRACKS, _ENTRY, _AUDIO})
_TRACK_NUMBER, _CHANNELS, _TIMESTAMP, _SIMPLE_BLOCK = 0xD7, 0x9F, 0xE7, 0xA3
_BLOCK_HEAD = struct.Struct(">Bhx")
"""Number of the track (one byte, marked), time in its cluster in ms, flags."""


class Block(NamedTuple):
    """``track``: from 0 on. ``milliseconds``: when it begins. ``content``: its samples' bytes."""

    track: int
    milliseconds: int
    content: bytes


class MatroskaReader:
    """Takes bytes, gives blocks.

    ``channels``: of each track, complete before the first block. ``needed``: how many bytes must
    be there before there is another block.
    """

    def __init__(self) -> None:
        self.channels: dict[int, int] = {}
        self.needed = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._cluster = 0
        self._track = 0

    def feed(self, piece: bytes) -> list[Block]:
        """The blocks that are complete with ``piece``."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size < self.needed:
            return []
        data = b"".join(self._pieces)
        position = self.needed = 0
        blocks: list[Block] = []
        while (head := _head(data, position)) is not None:
            name, start, size = head
            if name not in _ENTERED:
                if start + size > len(data):
                    self.needed = start + size - position
                    break
                if name == _SIMPLE_BLOCK:
                    track, time = _BLOCK_HEAD.unpack_from(data, start)
                    blocks.append(
                        Block((track & 0x7F) - 1, self._cluster + time,
                              data[start + _BLOCK_HEAD.size : start + size])
                    )  # fmt: skip
                else:
                    self._note(name, int.from_bytes(data[start : start + min(size, 8)], "big"))
                start += size
            position = start
        self._pieces = [data[position:]]
        self._size = len(data) - position
        return blocks

    def _note(self, name: int, value: int) -> None:
        if name == _TIMESTAMP:
            self._cluster = value
        elif name == _TRACK_NUMBER:
            self._track = value - 1
            self.channels[self._track] = 1
        elif name == _CHANNELS:
            self.channels[self._track] = value


def _head(data: bytes, position: int) -> tuple[int, int, int] | None:
    """An element's name, and where its content begins, and its size; None: it is cut off."""
    if position + 12 > len(data) and not _is_whole(data, position):
        return None
    name_length = 9 - data[position].bit_length()
    name = int.from_bytes(data[position : position + name_length], "big")
    position += name_length
    length = 9 - data[position].bit_length()
    size = int.from_bytes(data[position : position + length], "big") & ((1 << 7 * length) - 1)
    return name, position + length, size


def _is_whole(data: bytes, position: int) -> bool:
    if position >= len(data):
        return False
    position += 9 - data[position].bit_length()
    return position < len(data) and position + 9 - data[position].bit_length() <= len(data)
