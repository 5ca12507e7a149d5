"""What a file's first bytes say of it; pure. A few kilobytes decide, so that all workers agree."""

import re
import struct
from typing import NamedTuple

from whisper_transcriber.audio.codecs import extension

HEAD_BYTES = 4096
"""What of a file's beginning is looked at."""

PICTURE = "a picture"
APPLE_DOUBLE = "a Mac's companion file (AppleDouble)"
PLAYLIST = "a playlist or a script for a player"
_TEXT_FILE = "a text file"

_RECORDINGS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("WAVE", rb"(RIFF|RF64|RIFX|BW64)....WAVE"),
        ("AVI", rb"RIFF....AVI "),
        ("MP3", rb"ID3[\x02-\x04]|\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd][^\xf0-\xff]"),
        ("AAC", rb"\xff[\xf0\xf1\xf8\xf9]"),
        ("FLAC", rb"fLaC"),
        ("Ogg", rb"OggS"),
        ("Matroska or WebM", rb"\x1aE\xdf\xa3"),
        ("AMR", rb"#!AMR"),
        ("MP4", rb"....(ftyp|moov|mdat|free|skip|wide)"),
        ("WMA", rb"0&\xb2u\x8ef\xcf\x11"),
        ("AIFF", rb"FORM....AIF[FC]"),
        ("CAF", rb"caff"),
        ("FLV", rb"FLV\x01"),
        ("VOC", rb"Creative Voice File"),
        ("NIST SPHERE", rb"NIST_1A"),
        ("Wave64", rb"riff\x2e\x91"),
        ("AU", rb"\.snd|dns\."),
        ("MXF", rb"\x06\x0e\x2b\x34"),
        ("RealMedia", rb"\.RMF|\.ra\xfd"),
    )
)

_STREAMED = frozenset({"WAVE", "MP3", "AAC", "FLAC", "Ogg", "Matroska or WebM", "AMR"})

_OTHERS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL | re.IGNORECASE))
    for name, pattern in (
        (PLAYLIST, rb"#EXTM3U|\[playlist\]|ffconcat version|concat:|;ffmetadata|\[reference\]"),
        (PLAYLIST, rb"v=0\r?\n|#EXTINF|(file:|https?:|rtsp:)[^\s]+\s*$"),
        (PLAYLIST, rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(playlist|smil|MPD|asx|rss)\b"),
        (PICTURE, rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|BM.{4}\0{4}|(II\*\0|MM\0\*)"),
        (PICTURE, rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg\b"),
        ("an HTML page", rb"<!DOCTYPE html|<html\b"),
        ("an XML document", rb"<\?xml|<!DOCTYPE"),
        ("a PDF document", rb"%PDF-"),
        ("a ZIP archive or an office document", rb"PK(\x03\x04|\x05\x06)"),
        ("a compressed file or archive", rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|7z\xbc\xaf|Rar!"),
        ("a compressed file or archive", rb".{257}ustar"),
        (APPLE_DOUBLE, rb"\0\x05\x16[\0\x07]"),
        ("a file manager's database", rb"\0\0\0\x01Bud1"),
        ("an office document or a database", rb"\xd0\xcf\x11\xe0|SQLite format 3"),
        ("a program", rb"\x7fELF|MZ.{58}.{4}.*PE\0\0"),
        ("JSON", rb"\s*[\[{]\s*[\"\[{\]}0-9]"),
    )
)  # fmt: skip

_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_NOT_IN_TEXT = re.compile("[^\t\n\f\r\x1b -\x7e\xa0-\U0010ffff]")


_UNSUPPORTED: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("a DS2 dictation (Olympus DSS Pro)", rb"[\x01-\x09]ds2"),
        ("an encrypted dictation (Olympus DSS Pro)", rb"[\x01-\x09]enc"),
        ("a MIDI file, which holds notes and no sound", rb"MThd"),
        ("an OptimFROG file", rb"OFR "),
        ("AAC in ADIF form", rb"ADIF"),
    )
)
"""What no decoder is known for."""

_UNSUPPORTED_NAMES = {
    "ds2": "a DS2 dictation (Olympus DSS Pro)",
    "vox": "a Dialogic VOX file without a header",
    "raw": "a file of samples without a header",
    "pcm": "a file of samples without a header",
}

_MEDIA_NAME = re.compile(
    r"\.("
    r"3g2|3gp|aac|ac3|aif|aifc|aiff|alaw|amr|ape|asf|au|avi|awb|caf|dff|dsf|dss|dts|"
    r"eac3|ec3|f4v|flac|flv|g722|gsm|m2ts|m4a|m4b|m4r|m4v|mka|mkv|mov|mp1|mp2|mp3|mp4|"
    r"mpc|mpeg|mpg|mts|mxf|oga|ogg|ogv|opus|qt|ra|rm|sph|spx|tak|ts|tta|ulaw|voc|vob|"
    r"w64|wav|wave|weba|webm|wma|wmv|wv"
    r")$",
    re.IGNORECASE,
)

_JUNK = re.compile(
    r"(^|/)(\._[^/]*|\.DS_Store|\.AppleDouble|\.LSOverride|\.localized|\.VolumeIcon\.icns"
    r"|Icon\r|Thumbs\.db(:encryptable)?|ehthumbs\.db|ehthumbs_vista\.db|desktop\.ini"
    r"|autorun\.inf|\.directory|\.picasa\.ini|~\$[^/]*|\.~lock\.[^/]*#|\.nfs[0-9a-f]+"
    r"|\.sync(thing)?\.[^/]*\.tmp|\.gitkeep|\.keep)$"
    r"|(^|/)(__MACOSX|\.AppleDouble|\.Spotlight-V100|\.Trashes|\.fseventsd|\.TemporaryItems"
    r"|@eaDir|#recycle|\$RECYCLE\.BIN|System Volume Information|\.stfolder|\.stversions)/",
    re.IGNORECASE,
)


def is_known_junk(name: str) -> bool:
    """Whether a file's name is one that systems leave in folders, and never a recording's.

    Args:
        name: of an object below a prefix, folders included.
    """
    return bool(_JUNK.search(name))


def has_media_name(name: str) -> bool:
    """Whether a name ends like a recording's."""
    return bool(_MEDIA_NAME.search(name))


def unsupported_kind(head: bytes, name: str) -> str | None:
    """What a recording is that nothing here decodes, and what to do; None for others."""
    if recording_format(head):
        return None
    found = next((kind for kind, pattern in _UNSUPPORTED if pattern.match(head)), None)
    if found is None and _text(head) is None:
        found = _UNSUPPORTED_NAMES.get(extension(name))
    return f"{found}, which cannot be decoded: convert it to WAV or FLAC first" if found else None


def recording_format(head: bytes) -> str | None:
    """The name of the recording format that a file begins like, or None."""
    return next((name for name, pattern in _RECORDINGS if pattern.match(head)), None)


def can_stream(head: bytes) -> bool:
    """Whether ffmpeg can read such a file from its beginning to its end, without going back."""
    if head.startswith(b"ID3"):
        # Tags precede also what cannot be streamed; MPEG audio follows at once, or after more
        # than is looked at here.
        return _after_tag(head) in (b"", b"\xff")
    name = recording_format(head)
    if name == "WAVE":
        return 0 < head.find(b"fmt ") < head.find(b"data")
    return name in _STREAMED


def _after_tag(head: bytes) -> bytes:
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return head[10 + size : 11 + size]


class PlainWave(NamedTuple):
    """Where in a file the samples lie, in bytes."""

    start: int
    stop: int


def plain_wave(head: bytes, size: int) -> PlainWave | None:
    """Where 16 kHz mono 16-bit samples lie in a WAVE file that has them, and nothing odd about it.

    Args:
        size: of the whole file, in bytes.
    """
    position = 12
    as_wanted = False
    while head[:4] == b"RIFF" and head[8:12] == b"WAVE" and position + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, position)
        position += 8
        if name == b"data":
            whole = 0 < length <= size - position and length % 2 == 0
            return PlainWave(position, position + length) if as_wanted and whole else None
        if name == b"fmt ":
            as_wanted = head[position : position + length] == _WANTED_FORMAT
        elif name not in (b"LIST", b"fact", b"bext", b"JUNK"):
            return None
        position += length + length % 2
    return None


_WANTED_FORMAT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
"""The fmt chunk of a WAVE file: PCM, one channel, 16 kHz, bytes a second and a frame, 16 bits."""


def other_kind(head: bytes) -> str | None:
    """What a file is that is plainly no recording ("an HTML page"), or None when it may be one."""
    if recording_format(head):
        return None
    text = _text(head)
    plain = text.lstrip().encode() if text is not None else head
    for name, pattern in _OTHERS:
        if pattern.match(plain):
            return name
    return _TEXT_FILE if text is not None else None


def may_lack_header(head: bytes) -> bool:
    """Whether a file whose name says that it has no header may be what its name says.

    Two bytes that MP3 or AAC begins with, or UTF-16, are samples of quiet telephone speech, too,
    and A-law's silence reads "UUUU".
    """
    if name := recording_format(head):
        return name in ("MP3", "AAC") and not head.startswith(b"ID3")
    kind = other_kind(head)
    return kind is None or (kind == _TEXT_FILE and not re.search(r"[ \n]", _text(head) or ""))


def _text(head: bytes) -> str | None:
    """The head as text, or None when it holds what no text does."""
    mark = next((mark for mark in _BYTE_ORDER_MARKS if head.startswith(mark)), b"")
    try:
        # A character may be cut at the end of what was looked at.
        text = head[len(mark) :].decode(_BYTE_ORDER_MARKS.get(mark, "utf-8"), errors="strict")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - len(mark) - 4:
            return None
        text = head[len(mark) : len(mark) + error.start].decode(error.encoding)
    return None if not text or _NOT_IN_TEXT.search(text) else text
