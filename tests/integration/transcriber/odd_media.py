"""Recordings as public bug reports describe them, made by espeak-ng and ffmpeg for each run."""

import struct
import subprocess
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.integration.transcriber.decoding import ffmpeg

VIDEO = ("-f", "lavfi", "-i", "color=s=64x64:r=25:d=15")


class Studio:
    """A folder with two spoken sentences, a (2.7 s) and b (3.1 s), in the usual formats."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: set[str] = set()
        self._say("The teacher reads the important letter.", "a.wav")
        self._say("The doctor calls the hospital on Friday.", "b.wav")

    def path(self, name: str) -> Path:
        """A file of the folder, made when it is first asked for."""
        if name not in self.made:
            self.made.add(name)
            _recipe(name)(self, name)
        return self.folder / name

    def encode(self, name: str, *arguments: str) -> None:
        """Run ffmpeg in the folder; ``{x}`` in an argument is the path of x."""
        ffmpeg(*(self._filled(each) for each in arguments), str(self.folder / name))

    def join(self, name: str, *parts: str) -> None:
        """Files one behind the other."""
        self.write(name, b"".join(self.path(each).read_bytes() for each in parts))

    def write(self, name: str, content: bytes) -> None:
        """A file of bytes."""
        (self.folder / name).write_bytes(content)

    def _say(self, text: str, name: str) -> None:
        self.made.add(name)
        subprocess.run(
            ["espeak-ng", "-v", "en", "-s", "140", "-w", str(self.folder / name), text], check=True
        )

    def _filled(self, argument: str) -> str:
        if argument.startswith("{") and argument.endswith("}"):
            return str(self.path(argument[1:-1]))
        return argument


Recipe = Callable[[Studio, str], None]


def _by_ffmpeg(*arguments: str) -> Recipe:
    return lambda studio, name: studio.encode(name, *arguments)


def _delayed(*arguments: str) -> Recipe:
    return _by_ffmpeg(*VIDEO, "-itsoffset", "5", "-i", "{a48.wav}", "-map", "0:v", "-map", "1:a",
                      *arguments)  # fmt: skip


def _glued(*parts: str) -> Recipe:
    return lambda studio, name: studio.join(name, *parts)


def _gap(kind: str) -> Recipe:
    def make(studio: Studio, name: str) -> None:
        parts = studio.path(f"a.{kind}"), studio.path(f"b.{kind}")
        listed = f"file {parts[0].name}\nduration 25\nfile {parts[1].name}\n"
        studio.write(f"{name}.txt", listed.encode())
        studio.encode(name, "-f", "concat", "-i", str(studio.folder / f"{name}.txt"), "-c", "copy")

    return make


def _zeroed(source: str) -> Recipe:
    def make(studio: Studio, name: str) -> None:
        content = bytearray(studio.path(source).read_bytes())
        size = len(content)
        content[size * 4 // 10 : size * 6 // 10] = bytes(size * 6 // 10 - size * 4 // 10)
        studio.write(name, bytes(content))

    return make


def _stated(riff: int | None, data: int | None) -> Recipe:
    """a.wav whose header states other lengths; None: half of what is there."""

    def make(studio: Studio, name: str) -> None:
        content = bytearray(studio.path("a.wav").read_bytes())
        position = content.index(b"data")
        half = (len(content) - position - 8) // 2
        struct.pack_into("<I", content, 4, position + half if riff is None else riff)
        struct.pack_into("<I", content, position + 4, half if data is None else data)
        studio.write(name, bytes(content))

    return make


def _sphere(studio: Studio, name: str) -> None:
    with wave.open(str(studio.path("a.wav"))) as source:
        samples = source.readframes(source.getnframes())
        head = (
            f"NIST_1A\n   1024\nsample_rate -i {source.getframerate()}\nchannel_count -i 1\n"
            f"sample_count -i {source.getnframes()}\nsample_n_bytes -i 2\n"
            "sample_byte_format -s2 01\nsample_sig_bits -i 16\nsample_coding -s3 pcm\nend_head\n"
        )
    studio.write(name, head.encode().ljust(1024) + samples)


def _behind_noise(studio: Studio, name: str) -> None:
    state, noise = 1, bytearray()
    for _ in range(100_000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        noise.append(state >> 16 & 0xFF)
    studio.write(name, bytes(noise) + studio.path("s.mp3").read_bytes())


def _copy(source: str) -> Recipe:
    return lambda studio, name: studio.write(name, studio.path(source).read_bytes())


_A, _AT_8_KHZ = ("-i", "{a48.wav}"), ("-i", "{a.wav}", "-ar", "8000", "-ac", "1")
_PICTURE = "nullsrc=s=1400x1400:d=0.04,geq=random(1)*255:128:128"
_STEREO = "pan=stereo|c0=c0|c1=-1*c0"
_CALL = "[0]apad=pad_dur=4[l];[1]adelay=3500[r];[l][r]join=inputs=2:channel_layout=stereo"
_FILM = (
    "[0]pan=5.1|FC=0.3*c0[s];[1]pan=5.1|FL=c0|FR=c0|BL=c0|BR=c0[n];[s][n]amix=inputs=2:normalize=0"
)


@cache
def _recipes() -> dict[str, Recipe]:
    return {
        "a48.wav": _by_ffmpeg("-i", "{a.wav}", "-ar", "48000", "-ac", "1"),
        "b48.wav": _by_ffmpeg("-i", "{b.wav}", "-ar", "48000", "-ac", "1"),
        **{f"{x}.m4a": _by_ffmpeg("-i", f"{{{x}48.wav}}", "-c:a", "aac") for x in "ab"},
        **{f"{x}.{kind}": _by_ffmpeg("-i", f"{{{x}48.wav}}", "-c:a", "libopus")
           for x in "ab" for kind in ("webm", "ogg")},
        **{f"{x}.ts": _by_ffmpeg("-i", f"{{{x}48.wav}}", "-c:a", "aac") for x in "ab"},
        **{f"{x}.flac": _by_ffmpeg("-i", f"{{{x}48.wav}}") for x in "ab"},
        "s.mp3": _by_ffmpeg("-i", "{a.wav}", "-ar", "44100", "-ac", "2"),
        "m.mp3": _by_ffmpeg("-i", "{b.wav}", "-ar", "22050", "-ac", "1"),
        "delayed.mp4": _delayed("-c:v", "mpeg4", "-c:a", "aac"),
        "delayed.mov": _delayed("-c:v", "mpeg4", "-c:a", "pcm_s16le"),
        "delayed.mkv": _delayed("-c:v", "mpeg4", "-c:a", "libopus"),
        "delayed.flv": _delayed("-c:v", "flv", "-c:a", "aac"),
        "delayed.wmv": _delayed("-c:v", "mpeg4", "-c:a", "wmav2"),
        "delayed.ts": _delayed("-c:v", "mpeg2video", "-c:a", "aac"),
        "delayed.mpg": _delayed("-c:v", "mpeg2video", "-c:a", "mp2"),
        "delayed.avi": _delayed("-c:v", "mpeg4", "-c:a", "aac"),
        "delayed.mp3.avi": _delayed("-c:v", "mpeg4", "-c:a", "libmp3lame"),
        "gap.webm": _gap("webm"),
        "gap.mp4": _gap("m4a"),
        **{f"gap.{kind}": _by_ffmpeg("-i", "{gap.mp4}", "-c", "copy")
           for kind in ("ts", "flv", "mkv", "avi")},
        "ten.m4a": _by_ffmpeg("-stream_loop", "9", "-i", "{a48.wav}", "-c:a", "aac", "-b:a", "64k"),
        "ten.adts.aac": _by_ffmpeg("-i", "{ten.m4a}", "-c", "copy"),
        "ten.mka": _by_ffmpeg("-i", "{ten.m4a}", "-c", "copy"),
        "hurt.m4a": _zeroed("ten.m4a"),
        "drift.mkv": _by_ffmpeg("-stream_loop", "9", "-i", "{a48.wav}", "-c:a", "pcm_s16le",
                                "-bsf:a", "setts=ts=TS*1.05"),
        "hold0.wav": _by_ffmpeg("-i", "{a.wav}", "-af", "adelay=75000", "-c:a", "pcm_s16le"),
        "silentfirst.mp4": _by_ffmpeg(
            "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", *_A, "-map", "0:a", "-map", "1:a",
            "-c:a", "aac", "-t", "4", "-disposition:a:0", "0", "-disposition:a:1", "default"),
        "silentdefault.mkv": _by_ffmpeg(
            "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", *_A, "-map", "0:a", "-map", "1:a",
            "-c:a", "flac", "-t", "4", "-disposition:a:0", "default", "-disposition:a:1", "0"),
        "inv.wav": _by_ffmpeg(*_A, "-af", _STEREO),
        "inv.mp3": _by_ffmpeg("-i", "{inv.wav}", "-b:a", "96k"),
        "call.wav": _by_ffmpeg(*_A, "-i", "{b48.wav}", "-filter_complex", _CALL,
                               "-c:a", "pcm_mulaw", "-ar", "8000"),
        "film.ac3": _by_ffmpeg(*_A, "-f", "lavfi", "-i", "anoisesrc=c=pink:r=48000:a=0.02:d=2.7",
                               "-filter_complex", _FILM, "-c:a", "ac3"),
        "raw.gsm": _by_ffmpeg(*_AT_8_KHZ, "-c:a", "libgsm", "-f", "gsm"),
        "raw.g722": _by_ffmpeg("-i", "{a.wav}", "-ar", "16000", "-c:a", "g722", "-f", "g722"),
        "raw.ul": _by_ffmpeg(*_AT_8_KHZ, "-f", "mulaw"),
        "raw.alaw": _by_ffmpeg(*_AT_8_KHZ, "-f", "alaw"),
        "raw.sbc": _by_ffmpeg("-i", "{a.wav}", "-ar", "16000", "-ac", "1", "-f", "sbc"),
        "raw.sln": _by_ffmpeg(*_AT_8_KHZ, "-f", "s16le"),
        "raw.voc": _by_ffmpeg("-i", "{a.wav}", "-c:a", "pcm_u8", "-f", "voc"),
        "raw.sph": _sphere,
        "raw.au": _by_ffmpeg(*_A),
        "cam.mxf": _by_ffmpeg("-f", "lavfi", "-i", "testsrc=s=720x576:r=25:d=4", *_A,
                              "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "pcm_s16le"),
        **{f"pbx_{codec}.wav": _by_ffmpeg(*_AT_8_KHZ, "-c:a", codec) for codec in
           ("libgsm_ms", "adpcm_ima_wav", "adpcm_ms", "pcm_mulaw", "pcm_alaw", "g726")},
        "pbx_g723.wav": _by_ffmpeg(*_AT_8_KHZ, "-c:a", "g723_1", "-b:a", "6300"),
        "pbx_g722.wav": _by_ffmpeg("-i", "{a.wav}", "-ar", "16000", "-c:a", "g722"),
        "voice.caf": _by_ffmpeg(*_A, "-c:a", "libopus"),
        "alac.caf": _by_ffmpeg(*_A, "-c:a", "alac"),
        "zero.wav": _stated(0, 0),
        "ffff.wav": _stated(0xFFFFFFFF, 0xFFFFFFFF),
        "half.wav": _stated(None, None),
        "vbr.mp3": lambda studio, name: studio.join(name, "silent.mp3", "loud.mp3"),
        "silent.mp3": _by_ffmpeg("-f", "lavfi", "-i", "anullsrc=r=22050:cl=mono", "-t", "600",
                                 "-c:a", "libmp3lame", "-q:a", "9", "-write_xing", "0"),
        "loud.mp3": _by_ffmpeg("-i", "{a.wav}", "-c:a", "libmp3lame", "-q:a", "0",
                               "-write_xing", "0"),
        "a.rf64.wav": _by_ffmpeg(*_A, "-rf64", "always"),
        "a.w64": _by_ffmpeg(*_A),
        "a.bwf.wav": _by_ffmpeg(*_A, "-write_bext", "1", "-metadata", "description=x"),
        "mixed.mp3": _glued("s.mp3", "m.mp3"),
        "cat.wav": _glued("a.wav", "b.wav"),
        "plain16.wav": _by_ffmpeg("-i", "{a.wav}", "-ar", "16000"),
        "catplain.wav": _glued("plain16.wav", "plain16.wav", "b.wav"),
        "cat.webm": _glued("a.webm", "b.webm"),
        "cat.ts": _glued("a.ts", "b.ts"),
        "cat.flac": _glued("a.flac", "b.flac"),
        "chained.ogg": _glued("a.ogg", "b.ogg"),
        "cat.m4a": _glued("a.m4a", "b.m4a"),
        "tail.m4a": _by_ffmpeg("-stream_loop", "40", *_A, "-c:a", "aac",
                               "-movflags", "-faststart"),
        "cuttail.m4a": lambda studio, name: studio.write(
            name, studio.path("tail.m4a").read_bytes()[:-20_000]),
        "live.webm": _by_ffmpeg(*_A, "-c:a", "libopus", "-f", "webm", "-live", "1"),
        "garbage.mp3": _behind_noise,
        "bigpic.mp3": _by_ffmpeg(
            "-i", "{s.mp3}", "-f", "lavfi", "-i", _PICTURE,
            "-frames:v", "1", "-map", "0:a", "-map", "1:v", "-c:a", "copy", "-c:v", "png",
            "-id3v2_version", "3", "-disposition:v", "attached_pic"),
        "20ms.wav": _by_ffmpeg("-f", "lavfi", "-i", "sine=300:r=8000:d=0.02"),
        "h44.wav": lambda studio, name: studio.write(
            name, studio.path("a.wav").read_bytes()[:44]),
        "lie.wav": _copy("a.m4a"),
        "lie.mp3": _copy("a.ogg"),
        "lie.m4a": _copy("s.mp3"),
        "mute.mp4": _by_ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=3", "-c:v", "mpeg4"),
    }  # fmt: skip


def _recipe(name: str) -> Recipe:
    return _recipes()[name]
