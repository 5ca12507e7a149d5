import struct
from pathlib import Path

import pytest

from whisper_transcriber.audio import glued
from whisper_transcriber.audio.glued import (
    IGNORE_LENGTH,
    MOST_PIECES,
    Piece,
    unread_behind_mp4,
    unread_warning,
    wave_pieces,
)

SAMPLES = bytes(range(1, 251)) * 400


def wave(data: bytes = SAMPLES, *, stated: int | None = None, riff: int | None = None,
         codec: int = 1) -> bytes:  # fmt: skip
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, codec, 1, 16_000, 32_000, 2, 16)
    length = len(data) if stated is None else stated
    body = b"WAVE" + form + struct.pack("<4sI", b"data", length) + data
    return struct.pack("<4sI", b"RIFF", len(body) if riff is None else riff) + body


LIST = struct.pack("<4sI", b"LIST", 100) + bytes(100)
WHOLE = wave()


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        (WHOLE, [Piece(0, len(WHOLE))]),
        (WHOLE + WHOLE, [Piece(0, len(WHOLE)), Piece(len(WHOLE), 2 * len(WHOLE))]),
        (WHOLE + LIST, [Piece(0, len(WHOLE) + len(LIST))]),
        (WHOLE + b"ID3\3" + bytes(99), [Piece(0, len(WHOLE) + 103)]),
        (wave(stated=0, riff=0), [Piece(0, len(WHOLE))]),
        (wave(stated=0xFFFFFFFF, riff=0xFFFFFFFF), [Piece(0, len(WHOLE))]),
        (wave(stated=1000, riff=1036), [Piece(0, len(WHOLE), IGNORE_LENGTH)]),
        (wave(stated=1000), [Piece(0, len(WHOLE), IGNORE_LENGTH)]),
        (
            wave(stated=1000, riff=1036, codec=0x55),
            [Piece(0, 1044, (), len(WHOLE) - 1044)],
        ),
        (b"OggS" + SAMPLES, [Piece(0, 4 + len(SAMPLES))]),
    ],
    ids=["one", "two", "a list behind", "a tag behind", "no lengths", "endless", "cut lengths",
         "a cut length", "of unknown frames", "something else"],
)  # fmt: skip
def test_a_file_is_cut_where_another_recording_begins(content: bytes, pieces: list[Piece]) -> None:
    found = list(wave_pieces(len(content), lambda start, size: content[start : start + size]))
    assert found == pieces


def test_nothing_is_waited_for_where_only_metadata_follows() -> None:
    content = wave() + LIST
    content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
    asked: list[int] = []

    def read(start: int, size: int) -> bytes:
        asked.append(start)
        return content[start : start + size]

    assert list(wave_pieces(len(content), read)) == [Piece(0, len(content))]
    assert asked == [0]


def atom(name: bytes, size: int = 0) -> bytes:
    return struct.pack(">I4s", size + 8, name) + bytes(size)


MP4 = atom(b"ftyp", 16) + atom(b"mdat", 5000) + atom(b"moov", 100)


@pytest.mark.parametrize(
    ("content", "unread"),
    [
        (MP4, 0),
        (MP4 + MP4, len(MP4)),
        (MP4 + bytes(3000), 3000),
        (MP4 + atom(b"free", 10), 0),
        (MP4[:-50], 0),
    ],
    ids=["whole", "two", "zeros behind", "free space", "cut"],
)
def test_what_lies_behind_an_mp4_is_counted(tmp_path: Path, content: bytes, unread: int) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    assert unread_behind_mp4(tmp_path / "a.mp4") == unread


def test_a_few_bytes_are_not_worth_a_warning() -> None:
    assert not unread_warning(100)
    assert "30200 bytes" in unread_warning(30_200)[0].message


def test_a_file_of_very_many_recordings_is_read_in_part() -> None:
    short = wave(SAMPLES[:200])
    content = short * (MOST_PIECES + 5)
    found = list(wave_pieces(len(content), lambda start, size: content[start : start + size]))
    assert len(found) == MOST_PIECES
    assert found[-1].unread == 5 * len(short)


def test_an_mp4_of_very_many_boxes_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glued, "_MOST_BOXES", 100)
    (tmp_path / "a.mp4").write_bytes(MP4 + atom(b"free") * 100 + bytes(3000))
    assert unread_behind_mp4(tmp_path / "a.mp4") == 0
