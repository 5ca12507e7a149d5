"""One run of ffmpeg, which reads hostile bytes: what it may do, use and say.

It gets no network, no file to write, none of our environment (which holds the store's keys), no
decoder but those for sound, and limits on memory and processor time that the kernel enforces.
What it decodes and what it says come through pipes.
"""

import os
import re
import resource
import selectors
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from whisper_transcriber.audio.feeder import Feeder
from whisper_transcriber.audio.windows import SAMPLE_RATE

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpeg,mpegts,ogg,tta,w64,wav,wv"
)
"""ffmpeg's names of the containers that recordings come in; no playlists, no scripts."""

DECODERS = (
    "aac,aac_latm,ac3,adpcm_g722,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,adpcm_yamaha,alac,"
    "als,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,ape,atrac3,atrac3plus,dca,dvaudio,eac3,"
    "evrc,flac,g722,g723_1,g726,g726le,g729,gsm,gsm_ms,ilbc,libgsm,libgsm_ms,libopus,libspeex,"
    "libvorbis,mace3,mace6,mlp,mp1,mp1float,mp2,mp2float,mp3,mp3adu,mp3adufloat,mp3float,mp3on4,"
    "mp3on4float,nellymoser,opus,pcm_alaw,pcm_bluray,pcm_dvd,pcm_f16le,pcm_f24le,pcm_f32be,"
    "pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16be_planar,pcm_s16le,"
    "pcm_s16le_planar,pcm_s24be,pcm_s24le,pcm_s24le_planar,pcm_s32be,pcm_s32le,pcm_s32le_planar,"
    "pcm_s64be,pcm_s64le,pcm_s8,pcm_s8_planar,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,pcm_u32be,"
    "pcm_u32le,pcm_u8,qcelp,qdm2,qdmc,s302m,sipr,speex,truehd,truespeech,tta,vorbis,wavpack,"
    "wmalossless,wmapro,wmav1,wmav2,wmavoice"
)
"""No decoder for pictures: while it looks for the sound, ffmpeg would also try those."""

MEMORY_BYTES = 1 << 30
"""Normal is 60 MiB, and 200 MiB for a film of a day; what asks for more is a bomb.

Well below what pods have to spare: ffmpeg must run into this limit, which is the file's fault and
final, before the kernel kills for memory, which may be anybody's and is tried again.
"""

ADDRESS_SPACE_BYTES = 4 << 30
"""ffmpeg maps far more than it uses."""

_CPU_GRACE_SECONDS = 5
"""At its soft limit a process is told why it ends (SIGXCPU); at the hard one it is just killed."""

_POLL_SECONDS = 0.2
_PIECE_BYTES = 1 << 16
_LINE_BYTES = 1000
_KEPT_COMPLAINTS = 8

_LEVEL = re.compile(r"\[(warning|error|fatal|panic)\] *(.*)")
_PROTECTED = re.compile(r"\bDRM\b|encrypt|decryption key|activation_bytes", re.IGNORECASE)
_OF_NO_CONCERN = "not on whitelist"
"""DecodedTokens of each track that is not sound; if it is the sound itself, ffmpeg says more."""


@dataclass
class Outcome:
    """How a run ended. ``status``: as of a subprocess; negative is the signal that ended it.

    ``complaints``: the first errors, without the names of files and addresses of memory.
    """

    status: int = 0
    complaints: list[str] = field(default_factory=list)
    is_protected: bool = False

    def complain(self, line: str) -> None:
        """Take note of a line that ffmpeg wrote."""
        self.is_protected = self.is_protected or bool(_PROTECTED.search(line))
        said = _LEVEL.search(line)
        if said is None or said[1] == "warning" or _OF_NO_CONCERN in line:
            return
        if len(self.complaints) < _KEPT_COMPLAINTS:
            text = re.sub(r"^(pipe|file):\S+: ", "", said[2])
            self.complaints.append("".join(c for c in text if c.isprintable())[:200])


def arguments(source: str, mix: str | None = None) -> list[str]:
    """ffmpeg's command line for one recording, to 16 kHz mono 16-bit samples on its output.

    Args:
        source: pipe:0, or file: and a name in the directory that it runs in.
        mix: a filter that makes one channel of all; else ffmpeg's own way for the layout.
    """
    return [
        "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "repeat+level+warning",
        "-protocol_whitelist", source.partition(":")[0], "-format_whitelist", FORMATS,
        "-codec_whitelist", DECODERS, "-threads", "1", "-i", source,
        "-map", "0:a:0", "-vn", "-sn", "-dn", *(["-af", mix] if mix else []),
        "-filter_threads", "1", "-threads", "1",
        "-ac", "1", "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le", "-f", "s16le",
        # Else it writes each packet by itself: 200,000 for two hours.
        "-flush_packets", "0", "pipe:1",
    ]  # fmt: skip


def run(
    command: list[str],
    directory: str,
    *,
    allowed_seconds: int,
    sink: Callable[[bytes], None],
    feeder: Feeder | None,
    check: Callable[[], None],
) -> Outcome | None:
    """Run ffmpeg to its end, or until something raises, and never leave it behind.

    Args:
        allowed_seconds: of processor time, and of the clock while it has something to read.
        sink: takes the samples as they come, in this thread.
        check: called several times a second.

    Returns:
        None: it took longer than it is allowed.

    Raises:
        BaseException: what the download, ``sink`` or ``check`` raised.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE if feeder else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=directory,
        bufsize=0,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    outcome = Outcome()
    try:
        _restrict(process.pid, allowed_seconds)
        if feeder:
            feeder.start(process)
        in_time = _pump(process, outcome, sink, _clock(allowed_seconds, feeder), check)
    finally:
        process.kill()
        outcome.status = process.wait()
        if feeder:
            feeder.stop()
        _close(process)
    if feeder and feeder.error:
        raise feeder.error
    return outcome if in_time else None


def _restrict(pid: int, seconds: int) -> None:
    # From outside, at once after the start: preexec_fn may deadlock in a program with threads.
    for what, soft, hard in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_DATA, MEMORY_BYTES, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds, seconds + _CPU_GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 64),
    ):
        try:
            resource.prlimit(pid, what, (soft, hard))
        except ProcessLookupError:
            return  # done already


def _clock(allowed_seconds: int, feeder: Feeder | None) -> Callable[[], bool]:
    began = time.monotonic()

    def is_over() -> bool:
        waited = feeder.waited_seconds if feeder else 0.0
        return time.monotonic() - began - waited > allowed_seconds

    return is_over


def _pump(
    process: "subprocess.Popen[bytes]",
    outcome: Outcome,
    sink: Callable[[bytes], None],
    is_over: Callable[[], bool],
    check: Callable[[], None],
) -> bool:
    """Take samples and complaints until both end; False when the time is over before."""
    lines = _Lines(outcome.complain)
    takers = {process.stdout: sink, process.stderr: lines.take}
    with selectors.DefaultSelector() as selector:
        for stream, take in takers.items():
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, take)
        while selector.get_map():
            for key, _ in selector.select(_POLL_SECONDS):
                if piece := os.read(key.fd, _PIECE_BYTES):
                    key.data(piece)
                else:
                    selector.unregister(key.fileobj)
            check()
            if is_over():
                return False
    lines.take(b"\n")
    return _ended(process, is_over, check)


def _ended(
    process: "subprocess.Popen[bytes]", is_over: Callable[[], bool], check: Callable[[], None]
) -> bool:
    # Having closed its outputs is not having ended.
    while True:
        try:
            process.wait(_POLL_SECONDS)
            return True
        except subprocess.TimeoutExpired:
            check()
            if is_over():
                return False


class _Lines:
    """Cuts what ffmpeg says into lines, and over-long lines off."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = b""

    def take(self, piece: bytes) -> None:
        *lines, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[:_LINE_BYTES]
        for line in lines:
            self._tell(line[:_LINE_BYTES].decode(errors="replace").strip())


def _close(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
