"""Any recording to 16 kHz mono samples on disk: the only module that runs ffmpeg.

ffmpeg reads hostile bytes, so it gets one file under a name of ours, no network and no other
format than those listed here, none of our environment (which holds the store's keys), and limits
on memory, processor time and output that the kernel enforces.
"""

import logging
import resource
import signal
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

from transcription_contract.task import Limits
from whisper_transcriber.errors import (
    DecoderKilled,
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.plan import SAMPLE_RATE
from whisper_transcriber.samples import SAMPLE_BYTES

log = logging.getLogger(__name__)

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpeg,mpegts,ogg,tta,w64,wav,wv"
)
"""ffmpeg's names of the containers that recordings come in; no playlists, no scripts."""

ADDRESS_SPACE_BYTES = 4 << 30
"""ffmpeg maps far more than it uses; a decompression bomb maps more than this."""

MINIMUM_SECONDS = 300
SECONDS_PER_AUDIO_SECOND = 0.1
"""Time allowed, of the clock and of the processor: a hundredth is normal for compressed audio."""

_POLL_SECONDS = 0.2
_LAST_LINES = 8
_NO_ROOM = ("No space left on device", "Cannot allocate memory", "Disk quota exceeded")
_OWN_LIMIT_SIGNALS = frozenset({signal.SIGXCPU, signal.SIGXFSZ})


def decode(
    source: Path, target: Path, *, uri: str, limits: Limits, interruption: Interruption
) -> None:
    """Write ``source`` to the new file ``target`` as 16 kHz mono signed 16-bit little-endian.

    What can be decoded of a damaged recording counts; a warning is logged.

    Args:
        uri: what the user calls the source, for messages.

    Raises:
        NoAudioStream, LimitExceeded, MediaInvalid: the source is at fault.
        DecoderKilled: ffmpeg was ended by a signal.
        Interrupted: the worker was asked to stop.
    """
    if source.stat().st_size == 0:
        raise MediaInvalid(f"{uri} is empty (0 bytes)")
    seconds = limits.max_file_seconds
    status, complaints = _run(
        _command(source, target, seconds), source.parent, seconds, uri, interruption
    )
    _require_room(complaints, uri)
    samples = target.stat().st_size // SAMPLE_BYTES if target.exists() else 0
    if samples > seconds * SAMPLE_RATE:
        raise LimitExceeded(f"{uri} is longer than the {seconds} seconds that the job allows")
    if samples == 0:
        raise _undecodable(uri, complaints)
    if status or complaints:
        log.warning("%r is damaged; what was decoded counts: %r", uri, complaints)


def _command(source: Path, target: Path, limit_seconds: int) -> list[str]:
    return [
        "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error",
        "-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS,
        "-i", str(source), "-map", "0:a:0", "-vn", "-sn", "-dn",
        # One second more than allowed tells a recording at the limit from a longer one.
        "-t", str(limit_seconds + 1),
        "-ac", "1", "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le", "-f", "s16le", str(target),
    ]  # fmt: skip


def _run(
    command: list[str], directory: Path, seconds: int, uri: str, interruption: Interruption
) -> tuple[int, list[str]]:
    """ffmpeg's exit status and the last lines it wrote."""
    allowed = MINIMUM_SECONDS + int(seconds * SECONDS_PER_AUDIO_SECOND)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=directory,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    try:
        _restrict(process.pid, seconds, allowed)
        lines: deque[str] = deque(maxlen=_LAST_LINES)
        reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
        reader.start()
        _wait(process, time.monotonic() + allowed, uri, interruption)
        reader.join()
    finally:
        process.kill()
        process.wait()
    if process.returncode < 0:
        raise _killed(signal.Signals(-process.returncode), uri)
    return process.returncode, list(lines)


def _restrict(pid: int, seconds: int, allowed: int) -> None:
    # From outside, at once after the start: preexec_fn may deadlock in a program with threads.
    output_bytes = (seconds + 2) * SAMPLE_RATE * SAMPLE_BYTES
    for what, limit in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CPU, allowed),
        (resource.RLIMIT_FSIZE, output_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        try:
            resource.prlimit(pid, what, (limit, limit))
        except ProcessLookupError:
            return  # done already


def _collect(process: "subprocess.Popen[bytes]", lines: "deque[str]") -> None:
    assert process.stderr is not None
    with process.stderr as stream:
        while piece := stream.readline(400):
            lines.append(piece.decode(errors="replace").strip())


def _wait(
    process: "subprocess.Popen[bytes]", deadline: float, uri: str, interruption: Interruption
) -> None:
    while True:
        try:
            process.wait(_POLL_SECONDS)
            return
        except subprocess.TimeoutExpired:
            interruption.check()
            if time.monotonic() > deadline:
                raise LimitExceeded(
                    f"decoding {uri} did not end within the time that its length allows"
                ) from None


def _require_room(complaints: list[str], uri: str) -> None:
    """A machine that is full must not pass for a recording that ends early."""
    for line in complaints:
        if any(words in line for words in _NO_ROOM):
            raise DecoderKilled(f"ffmpeg had no room to decode {uri}: {line.rpartition(': ')[2]}")


def _killed(by: signal.Signals, uri: str) -> Exception:
    if by in _OWN_LIMIT_SIGNALS:
        return LimitExceeded(f"decoding {uri} took more than its length allows ({by.name})")
    return DecoderKilled(
        f"ffmpeg was killed by {by.name} while it decoded {uri}: out of memory, most likely"
    )


def _undecodable(uri: str, complaints: list[str]) -> Exception:
    if any("matches no streams" in line for line in complaints):
        return NoAudioStream(f"{uri} has no audio track")
    return MediaInvalid(f"{uri} is not a recording that ffmpeg can decode: {_cause(complaints)}")


def _cause(complaints: list[str]) -> str:
    """ffmpeg's last words without our local path in front of them."""
    last = complaints[-1] if complaints else "it holds no audio samples"
    return last.rpartition(": ")[2]
