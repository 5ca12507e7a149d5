import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.audio.signatures import (
    HEAD_BYTES,
    PICTURE,
    PLAYLIST,
    PlainWave,
    can_stream,
    may_lack_header,
    other_kind,
    plain_wave,
    recording_format,
)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def fmt(channels: int = 1, rate: int = 16_000, bits: int = 16, tag: int = 1) -> bytes:
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


def wave(*chunks: bytes) -> bytes:
    return chunk(b"RIFF", b"WAVE" + b"".join(chunks))


SAMPLES = chunk(b"data", b"\1\2" * 50)


@pytest.mark.parametrize(
    ("head", "name", "streams"),
    [
        (wave(fmt(), SAMPLES), "WAVE", True),
        (wave(SAMPLES, fmt()), "WAVE", False),
        (wave(fmt()), "WAVE", False),
        (b"ID3\x04\0\0\0\0\0\3abc\xff\xfb\x90\0", "MP3", True),
        (b"ID3\x04\0\0\0\0\x7f\x7f" + b"cover" * 10, "MP3", True),
        (b"ID3\x04\0\0\0\0\0\3abcMAC ", "MP3", False),
        (b"\xff\xfb\x90\x64", "MP3", True),
        (b"\xff\xf1\x50\x80", "AAC", True),
        (b"fLaC\0\0\0\x22", "FLAC", True),
        (b"OggS\0\2", "Ogg", True),
        (b"\x1aE\xdf\xa3\x9f", "Matroska or WebM", True),
        (b"#!AMR-WB\n", "AMR", True),
        (b"\0\0\0\x20ftypM4A ", "MP4", False),
        (b"RIFF\0\0\0\0AVI LIST", "AVI", False),
        (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", "WMA", False),
        (b"\x47" + b"\0" * 187 + b"\x47", None, False),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else str(value),
)
def test_the_first_bytes_tell_what_can_be_read_as_it_comes(
    head: bytes, name: str | None, streams: bool
) -> None:
    assert recording_format(head) == name
    assert can_stream(head) == streams
    assert other_kind(head) is None


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"The weather is fine.\n", "a text file"),
        ("Ein schöner Tag".encode("utf-16"), "a text file"),
        ("ä".encode() * HEAD_BYTES, "a text file"),
        (b"x" + ("ä".encode() * HEAD_BYTES)[: HEAD_BYTES - 1], "a text file"),
        (b"  <!DOCTYPE html><html>", "an HTML page"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "an XML document"),
        (b'{"error": "not found"}', "JSON"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", PLAYLIST),
        ("#EXTM3U\n".encode("utf-16"), PLAYLIST),
        (b"\xef\xbb\xbf[playlist]\nFile1=a.mp3", PLAYLIST),
        (b"ffconcat version 1.0\nfile '/etc/passwd'", PLAYLIST),
        (b";FFMETADATA1\ntitle=a", PLAYLIST),
        (b"v=0\r\nm=audio 5004 RTP/AVP 0\r\n", PLAYLIST),
        (b"<?xml version='1.0'?>\n<playlist xmlns='http://xspf.org/ns/0/'>", PLAYLIST),
        (b"<smil><body/></smil>", PLAYLIST),
        (b"http://example.com/a.mp3\n", PLAYLIST),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PICTURE),
        (b"\x89PNG\r\n\x1a\n\0\0", PICTURE),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", PICTURE),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"PK\x03\x04\x14\0", "a ZIP archive or an office document"),
        (b"\x1f\x8b\x08\0", "a compressed file or archive"),
        (b"\x7fELF\x02\x01", "a program"),
        (b"\0" * 5000, None),
        (b"\x80\x81\x82\x83", None),
    ],
    ids=lambda value: repr(value[:16]) if isinstance(value, bytes) else str(value),
)
def test_what_is_plainly_no_recording_is_called_what_it_is(head: bytes, kind: str | None) -> None:
    assert other_kind(head[:HEAD_BYTES]) == kind


@given(st.binary(max_size=200))
def test_any_first_bytes_are_judged(head: bytes) -> None:
    if other_kind(head):
        assert recording_format(head) is None
    can_stream(head)
    assert plain_wave(head, len(head)) is None


@pytest.mark.parametrize(
    "before",
    [[], [chunk(b"LIST", b"INFOIART\3\0\0\0me\0\0")], [chunk(b"fact", b"\0\0\0\0")]],
    ids=["nothing", "a list", "a fact"],
)
def test_samples_that_are_already_as_wanted_are_found(before: list[bytes]) -> None:
    content = wave(fmt(), *before, SAMPLES, chunk(b"id3 ", b"x"))
    found = plain_wave(content, len(content))
    assert found is not None
    assert content[found.start : found.stop] == b"\1\2" * 50


@pytest.mark.parametrize(
    "content",
    [
        wave(fmt(channels=2), SAMPLES),
        wave(fmt(rate=8_000), SAMPLES),
        wave(fmt(bits=8), SAMPLES),
        wave(fmt(tag=3), SAMPLES),
        wave(SAMPLES, fmt()),
        wave(fmt(), chunk(b"data", b"123")),
        wave(fmt(), chunk(b"data", b"")),
        wave(fmt(), SAMPLES)[:-2],
        wave(fmt(), chunk(b"odd ", b"1234"), SAMPLES),
        b"RF64" + wave(fmt(), SAMPLES)[4:],
    ],
    ids=["stereo", "8 kHz", "8 bits", "float", "no format before", "odd length", "no samples",
         "cut off", "an unknown chunk", "RF64"],
)  # fmt: skip
def test_any_other_wave_file_is_left_to_ffmpeg(content: bytes) -> None:
    assert plain_wave(content, len(content)) is None
    assert PlainWave(44, 144) == plain_wave(wave(fmt(), SAMPLES), 144)


@pytest.mark.parametrize(
    ("head", "lacks"),
    [
        (b"\xff\xf9\xfe\xff" * 1000, True),
        (b"\xff\xfa\x7e\xff" * 1000, True),
        (b"\xff\xfe\xff\xfe\xfe\xff" * 600, True),
        (b"U" * HEAD_BYTES, True),
        (b"\xd5\x55" * 2000, True),
        (wave(fmt(), SAMPLES), False),
        (b"ID3\x04\0\0\0\0\0\3abc\xff\xfb\x90\0", False),
        (b"<html><body>Not found", False),
        (b"This call was not recorded.\n", False),
        ("This call was not recorded.\n".encode("utf-16"), False),
    ],
    ids=["samples like AAC", "samples like MP3", "samples like UTF-16", "silence like text",
         "samples", "WAVE", "MP3", "HTML", "text", "UTF-16"],
)  # fmt: skip
def test_samples_without_a_header_are_not_taken_for_something_else(
    head: bytes, lacks: bool
) -> None:
    assert may_lack_header(head) is lacks
