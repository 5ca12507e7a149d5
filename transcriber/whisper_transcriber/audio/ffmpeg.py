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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from whisper_transcriber.audio.codecs import DECODERS, FORMATS, RawFormat
from whisper_transcriber.audio.feeder import Feeder
from whisper_transcriber.audio.tracks import TrackListing
from whisper_transcriber.audio.windows import SAMPLE_RATE

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

_LEVEL = re.compile(
    r"(?:\[[^\]]* @ 0x[0-9a-f]+\] )*\[(verbose|info|warning|error|fatal|panic)\] *(.*)"
)
"""At the beginning of a line: further on may stand what the file says, such as its title."""

_PROTECTED = re.compile(r"\bDRM\b|encrypt|decryption key|activation_bytes", re.IGNORECASE)
_OF_NO_CONCERN = ("not on whitelist", "BOM value")
"""Of each track that is not sound (if it is the sound itself, ffmpeg says more), and of tags."""


_START = re.compile(r"Correcting start time by (\d+)")
_FOR_STREAM = re.compile(r"(?:not found for|opening decoder for) input stream #0:(\d+)")

MIX = "aresample=clev=1.414:slev=0.354,aformat=channel_layouts=mono|stereo"
"""More than two channels become two, which are mixed here; see lanes.py. The centre counts double
and what is behind half of the usual: in films, people speak in the centre."""

_DISCONTINUITY_SECONDS = 3600
"""In streams whose clock may be reset (MPEG-TS), a longer jump is a reset, a shorter one a gap."""


@dataclass
class Outcome:
    """How a run ended, and what ffmpeg said.

    ``status``: as of a subprocess; negative is the signal that ended it. ``complaints``: the first
    errors, without the names of files and addresses of memory. ``errors``: how many there were.
    ``start``: how much later than the recording the sound begins, in ms, where ffmpeg's timestamps
    leave it out. ``undecodable``: the numbers of streams that it has no decoder for.
    """

    status: int = 0
    complaints: list[str] = field(default_factory=list)
    is_protected: bool = False
    errors: int = 0
    start: int = 0
    listing: TrackListing = field(default_factory=TrackListing)
    undecodable: set[int] = field(default_factory=set)

    def hear(self, line: str) -> None:
        """Take note of a line that ffmpeg wrote."""
        self.listing.take(line)
        said = _LEVEL.match(line)
        if said is None or said[1] in ("info", "verbose"):
            if said and said[1] == "verbose" and (correction := _START.match(said[2])):
                self.start = round(int(correction[1]) / 1000)
            return
        self.is_protected = self.is_protected or bool(_PROTECTED.search(line))
        if said[1] == "warning" or any(each in line for each in _OF_NO_CONCERN):
            return
        # It says that last of each error of a decoder.
        self.errors += not said[2].startswith("Error while decoding stream")
        if stream := _FOR_STREAM.search(line):
            self.undecodable.add(int(stream[1]))
        if len(self.complaints) < _KEPT_COMPLAINTS:
            text = re.sub(r"^(pipe|file):\S+: ", "", said[2])
            self.complaints.append("".join(c for c in text if c.isprintable())[:200])


def arguments(
    source: str,
    maps: Sequence[int] | None = (0,),
    *,
    channels: str | None = MIX,
    raw: RawFormat | None = None,
    options: Sequence[str] = (),
) -> list[str]:
    """ffmpeg's command line for one recording, to 16 kHz 16-bit samples with timestamps.

    Args:
        source: pipe:0, or file: and a name in the directory that it runs in.
        maps: the numbers of audio tracks, from 0 on; None: all of them.
        channels: a filter that makes one or two channels of all; None: each for itself.
        raw: the format of a file without a header.
        options: more of them for the input.
    """
    formats = f"{FORMATS},{raw.name}" if raw else FORMATS
    return [
        # verbose: only so does it tell by how much it moves the timestamps of an MPEG-TS.
        "ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "repeat+level+verbose",
        "-protocol_whitelist", source.partition(":")[0], "-format_whitelist", formats,
        "-codec_whitelist", DECODERS, "-threads", "1",
        "-dts_delta_threshold", str(_DISCONTINUITY_SECONDS),
        *(["-f", raw.name, *raw.options] if raw else []), *options, "-i", source,
        *chain.from_iterable(("-map", f"0:a:{each}") for each in maps or ()),
        *(["-map", "0:a"] if maps is None else []),
        *(["-af", channels] if channels else []), "-filter_threads", "1", "-threads", "1",
        "-ar", str(SAMPLE_RATE), "-c:a", "pcm_s16le", "-max_muxing_queue_size", "4096",
        # Else it writes each packet by itself: 200,000 for two hours.
        "-map_metadata", "-1", "-flush_packets", "0", "-f", "matroska", "pipe:1",
    ]  # fmt: skip


def run(
    command: list[str],
    directory: str,
    *,
    allowed_seconds: int,
    sink: Callable[[bytes], None],
    feeder: Feeder | None,
    check: Callable[[], None],
    outcome: Outcome | None = None,
) -> Outcome | None:
    """Run ffmpeg to its end, or until something raises, and never leave it behind.

    Args:
        allowed_seconds: of processor time, and of the clock while it has something to read.
        sink: takes the samples as they come, in this thread.
        check: called several times a second.
        outcome: takes what ffmpeg says, as it says it: before the samples that it is about.

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
    outcome = outcome or Outcome()
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
    lines = _Lines(outcome.hear)
    # What it says of the samples comes before them, and is taken first.
    takers = {process.stderr: lines.take, process.stdout: sink}
    with selectors.DefaultSelector() as selector:
        for stream, take in takers.items():
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, take)
        while selector.get_map():
            ready = selector.select(_POLL_SECONDS)
            for key, _ in sorted(ready, key=lambda each: each[0].fileobj is process.stdout):
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
