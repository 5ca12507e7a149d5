"""Where one recording ends in a file, and what lies behind it.

Browsers and recorders append whole files to each other; a WAVE file's header is finished when the
recording ends, or never, and its lengths wrap at 4 GiB.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from whisper_transcriber.audio.facts import AudioWarning, WarningKind
from whisper_transcriber.audio.signatures import HEAD_BYTES

IGNORE_LENGTH = ("-ignore_length", "1")
"""ffmpeg's option for a WAVE file whose samples go on behind the length that it states."""

_PLAIN_CODECS = frozenset({1, 3, 6, 7, 0xFFFE})
"""PCM, floats, A-law, mu-law: what more of it there is can be read without a length."""

_LEAST_SAMPLES = 8192
"""Bytes behind a WAVE file's end that are samples rather than rubbish."""

MOST_PIECES = 1000
"""Each is a run of ffmpeg: a file of millions of short ones would hold a worker for days."""

_MOST_BOXES = 2_000_000
"""Of an MP4; one in fragments of a second has two for each."""

_USUAL_SHARE = 20
_TOLD_BYTES = 1024
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")
_UNKNOWN = (0, 0xFFFFFFFF)


class Piece(NamedTuple):
    """A recording within a file: bytes ``start`` to ``stop``, read with ffmpeg's ``options``.

    ``unread``: how many bytes behind it belong to nothing.
    """

    start: int
    stop: int
    options: tuple[str, ...] = ()
    unread: int = 0


Read = Callable[[int, int], bytes]
"""Bytes of the file from a position on, at most so many; waits until they have arrived."""


def wave_pieces(size: int, read: Read) -> Iterator[Piece]:
    """The WAVE files of which a file consists, in order; one for a file that is something else.

    Args:
        size: of the whole file in bytes.
    """
    start = 0
    for _ in range(MOST_PIECES - 1):
        piece = _wave_piece(start, size, read)
        yield piece
        start = piece.stop + piece.unread
        if start >= size:
            return
    piece = _wave_piece(start, size, read)
    yield piece._replace(unread=size - piece.stop)


def _wave_piece(start: int, size: int, read: Read) -> Piece:
    head = read(start, HEAD_BYTES)
    whole = Piece(start, size)
    if not _is_wave(head):
        return whole
    (riff,) = struct.unpack_from("<I", head, 4)
    data = _data_chunk(head)
    if data is None:
        return whole
    position, length, codec = data
    end, riff_end = start + position + length, start + 8 + riff
    if length in _UNKNOWN or end + 12 > size:
        return whole
    # Some metadata behind the samples is usual, and not worth waiting for.
    if abs(size - riff_end) <= 1 and size - end <= length // _USUAL_SHARE:
        return whole
    return _with_what_follows(whole, end, riff_end, codec, read)


def _with_what_follows(whole: Piece, end: int, riff_end: int, codec: int, read: Read) -> Piece:
    """A WAVE file by what lies behind its samples.

    Args:
        end: of the samples, as the header states it.
        riff_end: the same of the file.
    """
    left = whole.stop - end
    # Chunks have even lengths, and not every writer keeps to that.
    for border in (end, end + 1, riff_end):
        if end <= border < whole.stop and _is_wave(read(border, 12)):
            return Piece(whole.start, border)
    if any(_is_chunk(read(border, 12), left) for border in (end, end + 1)):
        return whole
    if codec in _PLAIN_CODECS and left >= _LEAST_SAMPLES:
        return Piece(whole.start, whole.stop, IGNORE_LENGTH)
    return Piece(whole.start, end, (), left)


def _is_wave(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def _data_chunk(head: bytes) -> tuple[int, int, int] | None:
    """Where the samples begin, how many bytes the header says, and the codec's number."""
    position, codec = 12, 0
    while position + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, position)
        position += 8
        if name == b"data":
            return position, length, codec
        if name == b"fmt " and position + 2 <= len(head):
            (codec,) = struct.unpack_from("<H", head, position)
        position += length + length % 2
    return None


def _is_chunk(head: bytes, left: int) -> bool:
    """Whether a chunk, a tag or padding begins here, as is usual behind the samples."""
    name = head[:4]
    if head.startswith(_TAGS) or not any(head):
        return True
    (length,) = struct.unpack_from("<I", head.ljust(8, b"\0"), 4)
    return all(0x20 <= byte < 0x7F for byte in name) and length <= left


def unread_behind_mp4(path: Path) -> int:
    """How many bytes lie behind the end of the first MP4 in a file."""
    size, position, has_index = path.stat().st_size, 0, False
    with path.open("rb") as file:
        for _ in range(_MOST_BOXES):
            if position + 8 > size:
                break
            file.seek(position)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            begins_again = name == b"ftyp" and has_index
            if begins_again or not all(0x20 <= byte < 0x7F for byte in name):
                return size - position
            has_index = has_index or name == b"moov"
            if length < 8:
                return 0
            position += length
    return 0


def unread_warning(unread: int) -> list[AudioWarning]:
    """What is told of bytes that were not read."""
    if unread < _TOLD_BYTES:
        return []
    return [
        AudioWarning(
            kind=WarningKind.UNREAD_BYTES,
            message=f"{unread} bytes behind the end of the recording were not read: the file may "
            "be several recordings glued together, or damaged",
        )
    ]
