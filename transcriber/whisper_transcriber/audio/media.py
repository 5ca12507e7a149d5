"""Any recording to 16 kHz samples on disk, as far as possible while it still arrives.

What can be read from its beginning to its end goes through ffmpeg as it comes; an MP4, whose index
may lie at its end, and whatever is not known, waits for the last byte. The first bytes alone
decide, so that all workers get the same samples. Those of a streamed MP3 end with up to 0.1 s of
the encoder's padding, which ffmpeg takes off only where it can learn the file's size.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from transcription_contract.options import SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio import glued
from whisper_transcriber.audio.codecs import raw_format
from whisper_transcriber.audio.conversion import Conversion, Recording
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.glued import Piece
from whisper_transcriber.audio.lanes import Lane
from whisper_transcriber.audio.signatures import (
    APPLE_DOUBLE,
    HEAD_BYTES,
    PICTURE,
    PlainWave,
    has_media_name,
    may_lack_header,
    other_kind,
    plain_wave,
    recording_format,
    unsupported_kind,
)
from whisper_transcriber.audio.tracks import AUTO
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.errors import (
    DecoderKilled,
    LimitExceeded,
    MediaInvalid,
    NoAudioStream,
    NotMedia,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import FULL

log = logging.getLogger(__name__)

SLACK = 1.01
"""A recording may be longer than the limit by a hundredth: a logger's day is 24 h and a bit."""

MOST_LANES = 64
"""Each is a file, and as long as the recording."""

_PIECE_BYTES = 1 << 20
_PLAIN = AudioFacts(
    track=1, tracks=1, channels=1, codec="pcm_s16le", container="wav", sample_rate=SAMPLE_RATE
)


@dataclass
class Findings:
    """What is found out while a recording is decoded.

    ``lanes``: how many sounds are transcribed by themselves; None while nobody knows. ``facts``
    and ``warnings`` are complete when the decoding has ended.
    """

    lanes: int | None = None
    facts: AudioFacts | None = None
    warnings: list[AudioWarning] = field(default_factory=list)


def decode(
    arrival: StreamingDownload,
    target: Path,
    *,
    uri: str,
    limits: Limits,
    interruption: Interruption,
    audio: SourceAudio = AUTO,
    findings: Findings | None = None,
    fed: Callable[[int], None] = lambda _: None,
) -> None:
    """Write what arrives to the new file ``target`` as 16 kHz mono signed 16-bit little-endian.

    The file is there at once, and grows. Further channels or tracks that are transcribed by
    themselves lie beside it (see ``lane_path``). What can be decoded of a damaged recording
    counts; ``findings`` has warnings.

    Args:
        uri: what the user calls the source, for messages.
        audio: which of its sound is wanted.
        findings: filled in meanwhile.
        fed: told how many bytes of the source were read so far, from another thread; never called
            for a source that must be there as a whole.

    Raises:
        NotMedia, NoAudioStream, LimitExceeded, MediaInvalid: the source is at fault.
        DecoderKilled: ffmpeg was killed from outside, or the disk is full.
        Interrupted: the worker was asked to stop.
        BaseException: what the download raised.
    """
    decoding = _Decoding(
        arrival, target, uri, limits, interruption, audio, findings or Findings(), fed
    )
    try:
        decoding.run()
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DecoderKilled(f"there was no room on disk to decode {uri}") from error
    finally:
        decoding.close()


def lane_path(target: Path, lane: int) -> Path:
    """Where a lane's samples lie, of a recording that is decoded to ``target``."""
    return target if lane == 0 else target.with_name(f"{target.name}.{lane}")


def check_size(uri: str, size: int, limits: Limits) -> None:
    """Raises LimitExceeded if an object has more bytes than allowed."""
    if size > limits.max_file_bytes:
        raise LimitExceeded(
            f"{uri} has {size} bytes, more than the {limits.max_file_bytes} that "
            "limits.maxFileBytes, of the job or of this installation, allows"
        )


class _Decoding(Recording):
    """One recording on its way to its files."""

    def __init__(
        self,
        arrival: StreamingDownload,
        target: Path,
        uri: str,
        limits: Limits,
        interruption: Interruption,
        audio: SourceAudio,
        findings: Findings,
        fed: Callable[[int], None],
    ) -> None:
        self.arrival = arrival
        self.uri = uri
        self.limits = limits
        self.check = interruption.check
        self.audio = audio
        self.fed = fed
        self.raw = raw_format(uri)
        self.longest = round(limits.max_file_seconds * SLACK * SAMPLE_RATE)
        self._target = target
        self._findings = findings
        self._files = [target.open("wb", buffering=0)]
        self._lanes: list[Lane] = []

    def run(self) -> None:
        check_size(self.uri, self.arrival.size, self.limits)
        head = self._head()
        if not may_lack_header(head):
            self.raw = None
        if not self.raw:
            self._refuse(head)
        pieces = glued.wave_pieces(self.arrival.size, self._read)
        for piece in [Piece(0, self.arrival.size)] if self.raw else pieces:
            self._decode(piece)
        self._even()
        # The download may still find that its object was replaced.
        self.arrival.wait_whole(self.check)
        if recording_format(head) == "MP4":
            self.warn(glued.unread_warning(glued.unread_behind_mp4(self.arrival.path)))
        for warning in self._findings.warnings:
            log.warning("%r: %s", self.uri, warning.message)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def lanes(self, count: int) -> list[Lane]:
        """The first ``count`` lanes, with as many samples in each."""
        while len(self._lanes) < count:
            number = len(self._lanes)
            if number == MOST_LANES:
                raise LimitExceeded(
                    f"{self.uri} has more than {MOST_LANES} channels or tracks to transcribe "
                    "separately: set source.audio.track to one of them, or channels to mix"
                )
            if number:
                path = lane_path(self._target, number)
                self._files.append(path.open("wb", buffering=0))
            self._lanes.append(Lane(self._files[number].fileno(), self.allow))
        self._even()
        self._findings.lanes = len(self._lanes)
        return self._lanes[:count]

    @property
    def position(self) -> int:
        """How many samples there are so far."""
        return max((lane.position for lane in self._lanes), default=0)

    def found(self, facts: AudioFacts) -> None:
        """Which sound is transcribed; of several recordings in one file the first one's counts."""
        self._findings.facts = self._findings.facts or facts

    def warn(self, warnings: list[AudioWarning]) -> None:
        """What is told besides."""
        self._findings.warnings += warnings

    def _decode(self, piece: Piece) -> None:
        head = self._read(piece.start, HEAD_BYTES)
        plain = plain_wave(head, piece.stop - piece.start)
        # A length that is wrong is ffmpeg's concern.
        if plain and not piece.options and not self.raw:
            self._copy(PlainWave(piece.start + plain.start, piece.start + plain.stop))
        else:
            Conversion(self, piece, head).run()
        self.warn(glued.unread_warning(piece.unread))

    def _copy(self, plain: PlainWave) -> None:
        """Take samples that are already what is wanted; ffmpeg's start alone takes 0.1 s."""
        (lane,) = self.lanes(1)
        self.found(_PLAIN)
        position, end = plain.start, plain.stop
        with self.arrival.path.open("rb", buffering=0) as source:
            source.seek(position)
            while position < end:
                there = min(end, self.arrival.wait(position + 2, self.check))
                piece = source.read(min(_PIECE_BYTES, (there - position) // 2 * 2))
                if not piece:
                    log.warning("%r is shorter than it says", self.uri)
                    return
                lane.write_bytes(piece)
                position += len(piece)
                self.fed(position)

    def _refuse(self, head: bytes) -> None:
        if unsupported := unsupported_kind(head, self.uri):
            raise MediaInvalid(f"{self.uri} is {unsupported}")
        if kind := other_kind(head):
            wrong: type[MediaInvalid] = NotMedia
            if kind != APPLE_DOUBLE and has_media_name(self.uri):
                # A recording that something else took the place of, an error page for one.
                wrong = NoAudioStream if kind == PICTURE else MediaInvalid
            raise wrong(f"{self.uri} is {kind}, not a recording")

    def _head(self) -> bytes:
        if self.arrival.wait(HEAD_BYTES, self.check) == 0:
            raise MediaInvalid(f"{self.uri} is empty (0 bytes)")
        return self._read(0, HEAD_BYTES)

    def _read(self, start: int, size: int) -> bytes:
        self.arrival.wait(start + size, self.check)
        with self.arrival.path.open("rb") as file:
            file.seek(start)
            return file.read(size)

    def _even(self) -> None:
        position = self.position
        for lane in self._lanes:
            if lane.position < position:
                lane.silence(position - lane.position)

    def allow(self, samples: int) -> None:
        """Raises LimitExceeded if the recording must not be so long."""
        if samples > self.longest:
            raise LimitExceeded(
                f"{self.uri} is longer than the {self.limits.max_file_seconds} seconds that "
                "limits.maxFileSeconds, of the job or of this installation, allows"
            )
