"""Any recording to 16 kHz mono samples on disk, as far as possible while it still arrives.

What can be read from its beginning to its end goes through ffmpeg as it comes; an MP4, whose index
may lie at its end, and whatever is not known, waits for the last byte. The first bytes alone
decide, so that all workers get the same samples. Those of a streamed MP3 end with up to 0.1 s of
the encoder's padding, which ffmpeg takes off only where it can learn the file's size.

Channels are mixed as ffmpeg and openai-whisper do: the mean of left and right, so that two that
are each other's opposite cancel out.
"""

import logging
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from transcription_contract.task import Limits
from whisper_transcriber.audio import ffmpeg
from whisper_transcriber.audio.feeder import Feeder, write_all
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.samples import SAMPLE_BYTES
from whisper_transcriber.audio.signatures import (
    HEAD_BYTES,
    PICTURE,
    PlainWave,
    can_stream,
    other_kind,
    plain_wave,
    recording_format,
)
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.errors import (
    DecoderKilled,
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import FULL

log = logging.getLogger(__name__)

MINIMUM_SECONDS = 300
SECONDS_PER_AUDIO_SECOND = 0.1
"""Time allowed, of the clock and of the processor: a hundredth is normal for compressed audio."""

_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_MARKS_OF_PROTECTION = (b"enca", b"drms", b"aavd")
"""Names of tracks in an encrypted MP4, which ffmpeg takes for damaged ones."""

_MARKED_BYTES = 1 << 20
_PIECE_BYTES = 1 << 20
_UNMIXED = re.compile(r"Rematrix is needed between (\d+) channels and mono")


def decode(
    arrival: StreamingDownload,
    target: Path,
    *,
    uri: str,
    limits: Limits,
    interruption: Interruption,
    fed: Callable[[int], None] = lambda _: None,
) -> None:
    """Write what arrives to the new file ``target`` as 16 kHz mono signed 16-bit little-endian.

    The file is there at once, and grows. What can be decoded of a damaged recording counts; a
    warning is logged.

    Args:
        uri: what the user calls the source, for messages.
        fed: told how many bytes of the source were read so far, from another thread; never called
            for a source that must be there as a whole.

    Raises:
        NoAudioStream, LimitExceeded, MediaInvalid: the source is at fault.
        DecoderKilled: ffmpeg was killed from outside, or the disk is full.
        Interrupted: the worker was asked to stop.
        BaseException: what the download raised.
    """
    with target.open("wb", buffering=0) as file:
        _Decoding(arrival, file.fileno(), uri, limits, interruption, fed).run()


class _Decoding:
    """One recording on its way to one file."""

    def __init__(
        self,
        arrival: StreamingDownload,
        target: int,
        uri: str,
        limits: Limits,
        interruption: Interruption,
        fed: Callable[[int], None],
    ) -> None:
        self._arrival = arrival
        self._target = target
        self._uri = uri
        self._limits = limits
        self._check = interruption.check
        self._fed = fed
        self._written = 0

    def run(self) -> None:
        if self._arrival.size > self._limits.max_file_bytes:
            raise LimitExceeded(
                f"{self._uri} has {self._arrival.size} bytes, more than the "
                f"{self._limits.max_file_bytes} that limits.maxFileBytes, of the job or of this "
                "installation, allows"
            )
        head = self._head()
        if kind := other_kind(head):
            wrong = NoAudioStream if kind == PICTURE else MediaInvalid
            raise wrong(f"{self._uri} is {kind}, not a recording")
        if plain := plain_wave(head, self._arrival.size):
            self._copy(plain)
        else:
            self._convert(head)
        # The download may still find that its object was replaced.
        self._arrival.wait_whole(self._check)

    def _head(self) -> bytes:
        if self._arrival.wait(HEAD_BYTES, self._check) == 0:
            raise MediaInvalid(f"{self._uri} is empty (0 bytes)")
        with self._arrival.path.open("rb") as file:
            return file.read(HEAD_BYTES)

    def _copy(self, plain: PlainWave) -> None:
        """Take samples that are already what is wanted; ffmpeg's start alone takes 0.1 s."""
        position, end = plain.start, plain.stop
        with self._arrival.path.open("rb", buffering=0) as source:
            source.seek(position)
            while position < end:
                there = min(end, self._arrival.wait(position + 1, self._check))
                piece = source.read(min(_PIECE_BYTES, there - position))
                if not piece:
                    log.warning("%r is shorter than it says", self._uri)
                    return
                self._write(piece)
                position += len(piece)
                self._fed(position)

    def _convert(self, head: bytes) -> None:
        outcome = self._run(stream=True) if can_stream(head) else None
        if outcome is None or not self._written:
            # What the stream did not give, the file may: an index at the end, a tag in front.
            self._arrival.wait_whole(self._check)
            outcome = self._run(stream=False)
        self._judge(outcome, head)

    def _run(self, *, stream: bool) -> ffmpeg.Outcome:
        run = partial(self._run_once, stream=stream)
        outcome = run(mix=None)
        channels = _channels_without_layout(outcome.complaints)
        if channels and not self._written:
            outcome = run(mix="pan=mono|c0<" + "+".join(f"c{c}" for c in range(channels)))
        return outcome

    def _run_once(self, *, stream: bool, mix: str | None) -> ffmpeg.Outcome:
        allowed = MINIMUM_SECONDS + int(self._limits.max_file_seconds * SECONDS_PER_AUDIO_SECOND)
        outcome = ffmpeg.run(
            ffmpeg.arguments("pipe:0" if stream else f"file:{self._arrival.path.name}", mix),
            str(self._arrival.path.parent),
            allowed_seconds=allowed,
            sink=self._write,
            feeder=Feeder(self._arrival, self._fed) if stream else None,
            check=self._check,
        )
        if outcome is None:
            raise LimitExceeded(
                f"decoding {self._uri} did not end within the {allowed} seconds that "
                "limits.maxFileSeconds allows for"
            )
        if outcome.status < 0:
            raise _killed(signal.Signals(-outcome.status), self._uri)
        return outcome

    def _write(self, piece: bytes) -> None:
        try:
            write_all(self._target, piece)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise DecoderKilled(f"there was no room on disk to decode {self._uri}") from error
        self._written += len(piece)
        seconds = self._limits.max_file_seconds
        if self._written > seconds * SAMPLE_RATE * SAMPLE_BYTES:
            raise LimitExceeded(
                f"{self._uri} is longer than the {seconds} seconds that limits.maxFileSeconds, "
                "of the job or of this installation, allows"
            )

    def _judge(self, outcome: ffmpeg.Outcome, head: bytes) -> None:
        if not self._written:
            raise self._undecodable(outcome, head)
        if outcome.status or outcome.complaints:
            log.warning("%r is damaged; what was decoded counts: %r", self._uri, outcome.complaints)

    def _undecodable(self, outcome: ffmpeg.Outcome, head: bytes) -> TranscriberError:
        if any("matches no streams" in line for line in outcome.complaints):
            return NoAudioStream(f"{self._uri} has no audio track")
        if outcome.is_protected or _is_protected(self._arrival.path):
            return MediaInvalid(f"{self._uri} is encrypted or protected against copying (DRM)")
        if any("Cannot allocate memory" in line for line in outcome.complaints):
            # Our own limit; of a machine that is short of memory one hears nothing but SIGKILL.
            return MediaInvalid(
                f"{self._uri} is damaged or malicious: it asks for more memory or has more tracks "
                "than any recording"
            )
        cause = next(iter(outcome.complaints), "it holds no audio samples")
        if name := recording_format(head):
            return MediaInvalid(
                f"{self._uri} begins like {name} but is truncated or damaged, and nothing of it "
                f"can be decoded: {cause}"
            )
        return MediaInvalid(f"{self._uri} is not a recording that ffmpeg can decode: {cause}")


def _channels_without_layout(complaints: list[str]) -> int:
    """How many channels ffmpeg did not know how to mix, since the file does not say; or 0."""
    found = (_UNMIXED.search(line) for line in complaints)
    return next((int(match[1]) for match in found if match), 0)


def _is_protected(path: Path) -> bool:
    with path.open("rb") as file:
        ends = file.read(_MARKED_BYTES)
        file.seek(max(0, path.stat().st_size - _MARKED_BYTES))
        ends += file.read(_MARKED_BYTES)
    return ends[4:8] == b"ftyp" and any(mark in ends for mark in _MARKS_OF_PROTECTION)


def _killed(by: signal.Signals, uri: str) -> TranscriberError:
    """Whose fault it is that ffmpeg was ended by a signal.

    Its limits are ours and its crashes the file's: trying again would end alike. SIGKILL is the
    kernel's, for want of memory in the pod, or a person's.
    """
    if by is signal.SIGXCPU:
        return LimitExceeded(
            f"decoding {uri} took more processor time than limits.maxFileSeconds allows for"
        )
    if by in _FROM_OUTSIDE:
        return DecoderKilled(
            f"ffmpeg was killed by {by.name} while it decoded {uri}: out of memory, most likely"
        )
    return MediaInvalid(f"{uri} is damaged in a way that makes ffmpeg crash ({by.name})")
