"""Files built by hand, whose headers say what they are told."""

import binascii
import struct


def chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if length is None else length) + content


def wave(
    *, tag: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, align: int = 2,
    samples: bytes = bytes(4000), length: int | None = None, riff_length: int | None = None,
) -> bytes:  # fmt: skip
    """A WAVE file whose header says what it is told."""
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    body = b"WAVE" + chunk(b"fmt ", form) + chunk(b"data", samples, length)
    return chunk(b"RIFF", body, riff_length)


def atom(name: bytes, *content: bytes, length: int | None = None) -> bytes:
    inside = b"".join(content)
    return struct.pack(">I", len(inside) + 8 if length is None else length) + name + inside


def _full(name: bytes, *content: bytes) -> bytes:
    return atom(name, bytes(4), *content)


FTYP = atom(b"ftyp", b"isom\0\0\2\0isommp41")


def track(reference: bytes = b"", count: int = 100) -> bytes:
    sound = atom(b"sowt", bytes(7), b"\1", bytes(8), struct.pack(">HHIHH", 1, 16, 0, 16_000, 0))
    dref = atom(b"alis", bytes(4), reference) + atom(b"url ", bytes(4), reference)
    table = atom(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), sound),
        _full(b"stts", struct.pack(">III", 1, count, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        _full(b"stsz", struct.pack(">II", 2, count)),
        _full(b"stco", struct.pack(">II", 1, 48)),
    )
    return atom(
        b"trak",
        _full(b"tkhd", bytes(80)),
        atom(
            b"mdia",
            _full(b"mdhd", struct.pack(">IIIII", 0, 0, 16_000, count, 0)),
            _full(b"hdlr", b"\0\0\0\0soun", bytes(13)),
            atom(b"minf", _full(b"smhd", bytes(4)),
                  atom(b"dinf", _full(b"dref", struct.pack(">I", 2), dref)), table),
        ),
    )  # fmt: skip


def ebml(name: str, *content: bytes) -> bytes:
    inside = b"".join(content)
    return bytes.fromhex(name) + (1 << 56 | len(inside)).to_bytes(8, "big") + inside


EBML_HEAD = ebml("1a45dfa3", ebml("4282", b"matroska"))


def matroska_track(number: int, codec: bytes, *more: bytes, kind: bytes = b"\2") -> bytes:
    return ebml("ae", ebml("d7", number.to_bytes(2, "big")), ebml("83", kind),
                 ebml("73c5", number.to_bytes(2, "big")), ebml("86", codec), *more)  # fmt: skip


def ogg_page(serial: int, content: bytes, kind: int = 2) -> bytes:
    head = struct.pack("<4sBBqIIIBB", b"OggS", 0, kind, 0, serial, 0, 0, 1, len(content))
    checksum = 0
    for byte in head + content:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    return head[:22] + struct.pack("<I", checksum) + head[26:] + content


def flac_header(channels: int, rate: int, block: int) -> bytes:
    fields = rate << 44 | (channels - 1) << 41 | 15 << 36 | 0xFFFFFFFFF
    info = struct.pack(">HH", block, block) + bytes(6) + struct.pack(">Q", fields) + bytes(16)
    return b"fLaC\x80\0\0\x22" + info + b"\xff\xf8\x79\x70\0\xff\xfe" + bytes(200)


def tta(channels: int, rate: int, samples: int) -> bytes:
    head = struct.pack("<4sHHHII", b"TTA1", 1, channels, 16, rate, samples)
    return head + struct.pack("<I", binascii.crc32(head)) + bytes(2000)


def avi_with_subtitles(playlist: bytes) -> bytes:
    """An AVI with a track of GAB2, inside which ffmpeg looks for any format that it knows."""
    strh = chunk(b"strh", b"txts" + bytes(16) + struct.pack("<II", 1, 25) + bytes(20))
    header = chunk(b"LIST", b"hdrl" + chunk(b"LIST", b"strl" + strh + chunk(b"strf", b"")))
    gab2 = b"GAB2\0\2\0" + struct.pack("<I", 2) + b"\0\0\4\0" + struct.pack("<I", len(playlist))
    movi = chunk(b"LIST", b"movi" + chunk(b"00tx", gab2 + playlist))
    return chunk(b"RIFF", b"AVI " + header + movi)
