"""Broken and hostile inputs, made the same each time from seeds: families of named bytes."""

import gzip
import io
import random
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.integration.transcriber.crafted import (
    EBML_HEAD,
    FTYP,
    atom,
    avi_with_subtitles,
    chunk,
    ebml,
    flac_header,
    matroska_track,
    ogg_page,
    track,
    tta,
    wave,
)

Input = tuple[str, bytes]

_TONE = "aevalsrc=0.3*sin(880*t*PI)*sin(3*t)+0.02*random(7):d=2:s=16000"
_FORMATS: dict[str, list[str]] = {
    "wav": ["-f", "wav", "-ac", "2"],
    "mp3": ["-f", "mp3", "-b:a", "32k"],
    "aac": ["-f", "adts", "-c:a", "aac"],
    "m4a": ["-f", "ipod", "-c:a", "aac"],
    "faststart": ["-f", "mp4", "-c:a", "aac", "-movflags", "+faststart"],
    "flac": ["-f", "flac"],
    "ogg": ["-f", "ogg", "-c:a", "libvorbis"],
    "opus": ["-f", "opus", "-c:a", "libopus"],
    "webm": ["-f", "webm", "-c:a", "libopus"],
    "wma": ["-f", "asf", "-c:a", "wmav2"],
    "avi": ["-f", "avi", "-c:a", "pcm_s16le"],
    "ts": ["-f", "mpegts", "-c:a", "mp2"],
}


@dataclass(frozen=True)
class Bait:
    """What hostile inputs name: a local file and an address, neither of which may be touched."""

    path: str
    url: str


def families(bait: Bait) -> dict[str, Callable[[], list[Input]]]:
    return {
        "cut off": lambda: list(_cut_off()),
        "flipped bits": lambda: list(_flipped()),
        "overwritten": lambda: list(_overwritten()),
        "two in one": lambda: list(_two_in_one()),
        "lying headers of WAVE": lambda: list(_waves()),
        "lying lengths": lambda: list(_lying_lengths()),
        "nested and many": lambda: list(_nested_and_many()),
        "bombs": lambda: list(_bombs()),
        "playlists": lambda: list(_playlists(bait)),
        "not recordings": lambda: list(_not_recordings()),
        "odd but whole": lambda: list(_odd()),
    }


@cache
def recording(name: str) -> bytes:
    """Two seconds of sound in one of the formats, the same bytes each time."""
    return encode("-f", "lavfi", "-i", _TONE, *_FORMATS[name])


def encode(*arguments: str, stdin: bytes = b"") -> bytes:
    """What ffmpeg makes, through a file, since some formats need to go back."""
    return subprocess.run(
        ["sh", "-c", 'f=$(mktemp); ffmpeg -y -loglevel error "$@" -bitexact "$f" >&2 && cat "$f";'
         ' s=$?; rm -f "$f"; exit $s', "sh", *arguments],
        input=stdin, stdout=subprocess.PIPE, check=True,
    ).stdout  # fmt: skip


def _cut_off() -> Iterator[Input]:
    for name in _FORMATS:
        content = recording(name)
        for length in (1, 13, 90, len(content) // 3, len(content) - 7):
            yield f"{name} cut to {length}", content[:length]


def _flipped() -> Iterator[Input]:
    for name in _FORMATS:
        for seed in range(3):
            rng = random.Random(f"{name}{seed}")
            content = bytearray(recording(name))
            reach = len(content) if seed else 400
            for _ in range(20):
                content[rng.randrange(4, min(reach, len(content)))] ^= 1 << rng.randrange(8)
            yield f"{name} flipped {seed}", bytes(content)


def _overwritten() -> Iterator[Input]:
    for name in _FORMATS:
        rng = random.Random(name)
        content = recording(name)
        start = rng.randrange(8, len(content) // 2)
        for what, junk in (("zeros", bytes(500)), ("ones", b"\xff" * 500),
                           ("noise", rng.randbytes(500))):  # fmt: skip
            if rng.random() < 0.67:
                yield f"{name} with {what}", content[:start] + junk + content[start + 500 :]


def _two_in_one() -> Iterator[Input]:
    names = list(_FORMATS)
    for one, other in zip(names, names[1:] + names[:1], strict=True):
        yield f"{one}'s head on {other}", recording(one)[:64] + recording(other)[64:]
    for one, other in (("mp3", "wav"), ("ogg", "opus"), ("wav", "m4a"), ("flac", "mp3")):
        yield f"{one} and then {other}", recording(one) + recording(other)


def _waves() -> Iterator[Input]:
    for number, length in enumerate((0, 1, 3, 3999, 4001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)):
        yield f"data of {length} bytes", wave(length=length, riff_length=length * number & 0xFFFF)
    for channels in (0, 3, 255, 256, 1000, 65_535):
        yield f"{channels} channels", wave(channels=channels, align=2 * channels & 0xFFFF)
    for rate in (0, 1, 7, 999_983, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"{rate} Hz", wave(rate=rate)
    for bits, align in ((0, 0), (1, 1), (8, 0), (16, 65_535), (64, 8), (255, 32), (65_535, 2)):
        yield f"{bits} bits", wave(bits=bits, align=align)
    for tag in (0, 2, 3, 6, 17, 0x50, 0x55, 0xFF, 0x160, 0x2000, 0xFFFE, 0xFFFF):
        yield f"codec {tag:#x}", wave(tag=tag, samples=random.Random(tag).randbytes(4000))
    yield "one sample", wave(samples=b"\1\2")
    yield "half a sample", wave(samples=b"\1")
    yield "a format of 2 GiB", b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", bytes(99), 0x7FFFFFFF)
    yield "no end of empty chunks", b"RIFF\0\0\0\0WAVE" + chunk(b"LIST", b"") * 50_000


def _lying_lengths() -> Iterator[Input]:
    mp3, m4a, webm, flac = map(recording, ("mp3", "m4a", "webm", "flac"))
    yield "ID3 of 256 MiB", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + mp3
    frame = b"ID3\4\0\0\0\0\1\0APIC\x7f\x7f\x7f\x7f\0\0" + bytes(118)
    yield "ID3 with a frame of 256 MiB", frame + mp3
    extended = b"ID3\4\0\x40\0\0\1\0\x7f\x7f\x7f\x7f" + bytes(124)
    yield "ID3 with an extended header of 256 MiB", extended + mp3
    yield "ID3 again and again", (b"ID3\4\0\0\0\0\0\0") * 5000 + mp3
    for length in (0, 1, 2, 7, 0x7FFFFFFF, 0xFFFFFFFF):
        yield (
            f"moov of {length}",
            m4a.replace(
                m4a[m4a.index(b"moov") - 4 :][:4] + b"moov", struct.pack(">I", length) + b"moov"
            ),
        )
    for table in (b"stsz", b"stts", b"stsc", b"stco", b"stsd", b"elst", b"esds"):
        for count in (0x00FFFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
            place = m4a.index(table) + (12 if table == b"stsz" else 8)
            lie = struct.pack(">I", count)
            yield f"{table.decode()} of {count}", m4a[:place] + lie + m4a[place + 4 :]
    yield "an atom of 2^63", FTYP + struct.pack(">I4sQ", 1, b"moov", 1 << 63) + m4a[40:]
    yield "a sample count of 2^31", FTYP + atom(b"moov", track(count=0x7FFFFFFF))
    for place in (webm.index(b"\x18\x53\x80\x67"), webm.rindex(b"\x1f\x43\xb6\x75")):
        for length in (b"\x01" + b"\xff" * 7, b"\x01\x7f" + b"\xff" * 6, b"\0" * 8):
            lying = webm[: place + 4] + length + webm[place + 12 :]
            yield f"EBML at {place} of {length.hex()}", lying
    picture = b"\x86\xff\xff\xff"
    yield "a FLAC picture of 16 MiB", flac[:4] + b"\0" + flac[5:42] + picture + flac[42:]
    for name, place in (("block sizes", 8), ("rate and channels", 18), ("frame sizes", 12)):
        yield f"FLAC {name}", flac[:place] + b"\xff" * 6 + flac[place + 6 :]
    yield "Ogg with 255 segments", recording("ogg")[:26] + b"\xff" + recording("ogg")[27:]
    yield "CAF of 2^63", b"caff\0\1\0\0" + struct.pack(">4sQ", b"desc", 1 << 63) + bytes(64)
    yield "AIFF of 4 GiB", struct.pack(">4sI8sI", b"FORM", 1 << 31, b"AIFFCOMM", 0xFFFFFFFF)
    sound = struct.pack(">4sIIIII", b".snd", 24, 0xFFFFFFFF, 3, 0, 0)
    yield "AU without a rate", sound + bytes(999)


def _nested_and_many() -> Iterator[Input]:
    nested = b""
    for _ in range(3000):
        nested = atom(b"udta", nested)
    yield "atoms in atoms", FTYP + atom(b"moov", nested)
    nested = b""
    for _ in range(2000):
        nested = ebml("114d9b74", nested)
    yield "elements in elements", EBML_HEAD + ebml("18538067", nested)
    yield "lists in lists", chunk(b"RIFF", b"AVI " + b"LIST\xff\xff\xff\x7fhdrl" * 5000)
    yield "3000 tracks of MP4", FTYP + atom(b"moov", track() * 3000)
    tracks = [matroska_track(n, b"A_OPUS") for n in range(1, 3000)]
    yield "3000 tracks of Matroska", EBML_HEAD + ebml("18538067", ebml("1654ae6b", *tracks))
    head = b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0"
    yield "1500 streams of Ogg", b"".join(ogg_page(n, head) for n in range(1500))
    stream = chunk(b"strh", b"auds" + bytes(44)) + chunk(b"strf", wave()[20:36])
    lists = chunk(b"LIST", b"strl" + stream) * 2000
    yield "2000 streams of AVI", chunk(b"RIFF", b"AVI " + chunk(b"LIST", b"hdrl" + lists))
    yield "empty pages of Ogg", ogg_page(1, b"", 0) * 20_000
    yield "empty atoms", FTYP + atom(b"free") * 100_000


def _bombs() -> Iterator[Input]:
    yield "15 minutes of silence", encode("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=900",
                                       "-f", "flac", "-compression_level", "0")  # fmt: skip
    frame = b"\xff\xe3\x18\xc4" + bytes(68)
    yield "50 minutes of empty frames", frame * 40_000
    for size, times in ((5_000_000, 20), (50_000_000, 1)):
        packed = zlib.compress(bytes(size))
        how = ebml("6d80", ebml("6240", ebml("5034", ebml("4254", b"\0"))))
        sound = ebml("e1", ebml("b5", struct.pack(">d", 16000.0)), ebml("6264", b"\x10"))
        blocks = ebml("a3", b"\x81\0\0\x80", packed) * times
        yield (
            f"packed blocks of {size}",
            EBML_HEAD
            + ebml(
                "18538067",
                ebml("1654ae6b", matroska_track(1, b"A_PCM/INT/LIT", how, sound)),
                ebml("1f43b675", ebml("e7", b"\0"), blocks),
            ),
        )
    yield "gzip of zeros", gzip.compress(bytes(20_000_000), mtime=0)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("a.wav"), bytes(20_000_000))
    yield "zip of zeros", archive.getvalue()
    yield "8 channels of 655 kHz", flac_header(channels=8, rate=655_350, block=65_535)
    yield "TTA of one huge frame", tta(channels=65_535, rate=0xFFFFFF, samples=0xFFFFFFF0)
    ape = struct.pack("<4sHHIIIIII", b"MAC ", 3990, 0, 52, 24, 0xFFFFFFF, 44, 0xFFFFFFF, 0)
    frames = struct.pack("<HHIIIHHI", 5000, 0, 0x7FFFFFFF, 0x7FFFFFFF, 0xFFFFF, 16, 2, 44_100)
    yield "APE of huge frames", ape + bytes(16) + frames + bytes(999)
    block = struct.pack("<4sIHBBIIIII", b"wvpk", 9999, 0x410, 0, 0, 1 << 31, 0, 1 << 31, 0, 0)
    yield "WavPack of huge blocks", block + bytes(9999)
    yield "1 Hz to 16 kHz", wave(rate=1, samples=bytes(100_000))


def _playlists(bait: Bait) -> Iterator[Input]:
    for what in (bait.path, f"file://{bait.path}", bait.url):
        kind = what.partition(":")[0] if ":" in what else "path"
        hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{what}\n#EXT-X-ENDLIST\n"
        texts = {
            "m3u8": hls,
            "m3u": what,
            "pls": f"[playlist]\nFile1={what}\nNumberOfEntries=1\n",
            "concat": f"ffconcat version 1.0\nfile '{what}'\n",
            "protocol": f"concat:{what}|{what}",
            "xspf": '<?xml version="1.0"?><playlist version="1"><trackList><track><location>'
            f"{what}</location></track></trackList></playlist>",
            "mpd": f'<?xml version="1.0"?><MPD><Period><BaseURL>{what}</BaseURL></Period></MPD>',
            "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{what}"/></svg>',
            "entity": f'<!DOCTYPE a [<!ENTITY b SYSTEM "{what}">]><a>&b;</a>',
            "ffmetadata": f";FFMETADATA1\ntitle={what}\n",
            "ram": f"RTSPtext\n{what}\n",
        }
        for name, text in texts.items():
            yield f"{name} with a {kind}", text.encode()
        yield f"MP4 that refers to a {kind}", FTYP + atom(b"moov", track(what.encode()))
        yield f"AVI with a playlist of a {kind} as subtitles", avi_with_subtitles(hls.encode())
        tag = b"ID3\4\0\0" + bytes([0, 0, len(hls) >> 7, len(hls) & 0x7F])
        yield f"an ID3 tag that is a playlist of a {kind}", tag + hls.encode() + hls.encode() * 50
    yield "sdp", f"v=0\nm=audio 5004 RTP/AVP 0\nc=IN IP4 {bait.url.split('/')[2]}\n".encode()


def _not_recordings() -> Iterator[Input]:
    yield "nothing", b""
    for size in (1, 100, 100_000):
        yield f"{size} zeros", bytes(size)
        yield f"{size} ones", b"\xff" * size
    text = "Ça va, мир? 你好.\n"
    for encoding in ("utf-8", "utf-16", "utf-16-be", "utf-32", "cp1251", "gb18030"):
        yield f"text in {encoding}", (text * 40).encode(encoding, errors="replace")
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 9}">' for n in range(1, 9))
    yield "a billion laughs", f'<?xml version="1.0"?><!DOCTYPE a [{laughs}]><a>&a8;</a>'.encode()
    yield "escapes for a terminal", b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\n" * 50
    magics = (b"RIFF\xff\xff\xff\xffWAVEfmt ", b"ID3\4\0\0\0\0\0\0", b"\xff\xfb\x90\x64", b"fLaC",
              b"OggS\0\2", b"\x1aE\xdf\xa3", b"#!AMR\n", b"#!AMR-WB\n", b"\xff\xf1\x50\x80", FTYP,
              b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel", b"FORM\0\0\xff\xffAIFF",
              b"caff\0\1\0\0", b"FLV\1\5\0\0\0\x09", b"TTA1", b"MAC \x96\x0f", b"wvpk",
              b"\x0b\x77", b".snd", b"riff.\x91", b"\0\0\1\xba",
              b"G" + bytes(187) + b"G" + bytes(187) + b"G")  # fmt: skip
    for magic in magics:
        yield f"noise after {magic[:8]!r}", magic + random.Random(magic).randbytes(20_000)


def _odd() -> Iterator[Input]:
    nasty = "a\x1b[2Jb\nc\0d" + "é" * 300 + "$(reboot)`id`%n%s"
    sound = ["-f", "lavfi", "-i", _TONE]
    tags = ["-metadata", f"title={nasty.replace(chr(0), '')}", "-metadata", "encoder=No space left"]
    for name, how in (("mp3", ["-f", "mp3"]), ("flac", ["-f", "flac"]), ("m4a", ["-f", "ipod"])):
        yield f"{name} with escapes as its title", encode(*sound, *tags, *how)
    cover = ["-f", "lavfi", "-i", "color=red:s=32x32:d=0.04"]
    both = ["-map", "0", "-map", "1", "-c:v", "png", "-disposition:v", "attached_pic"]
    yield "mp3 with a cover", encode(*sound, *cover, *both, "-f", "mp3")
    yield "a cover alone", encode(*cover, "-c:v", "mjpeg", "-f", "mp4")
    subtitles = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"
    yield "subtitles alone", encode("-f", "srt", "-i", "-", "-f", "matroska", stdin=subtitles)
    yield "one sample of FLAC", encode(*sound, "-af", "atrim=end_sample=1", "-f", "flac")
    yield "no sample of FLAC", encode(*sound, "-t", "0", "-f", "flac")
    yield (
        "a codec named like a full disk",
        EBML_HEAD
        + ebml("18538067", ebml("1654ae6b", matroska_track(1, b"No space left on device"))),
    )
