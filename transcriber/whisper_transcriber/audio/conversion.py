"""A recording through ffmpeg: which of its tracks, in as few runs as it takes, and how it ended.

One run is enough for most: ffmpeg lists the tracks before the first sample comes. Only where the
first track is not the right one is there another run.
"""

import re
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from transcription_contract.options import ChannelMode, SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio import ffmpeg, reasons, tracks
from whisper_transcriber.audio.codecs import RawFormat
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning, WarningKind
from whisper_transcriber.audio.feeder import Feeder
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.ffmpeg import Outcome
from whisper_transcriber.audio.glued import Piece
from whisper_transcriber.audio.lanes import Lane
from whisper_transcriber.audio.signatures import can_stream
from whisper_transcriber.audio.take import OtherTracksError, Take
from whisper_transcriber.errors import LimitExceeded, MediaInvalid

MINIMUM_SECONDS = 300
SECONDS_PER_AUDIO_SECOND = 0.1
"""Time allowed, of the clock and of the processor: a hundredth is normal for compressed audio."""

_MOST_RUNS = 20
_UNMIXED = re.compile(r"Rematrix is needed between (\d+) channels and")


class Recording(Protocol):
    """What a conversion needs to know of the recording, and tells it."""

    arrival: StreamingDownload
    uri: str
    limits: Limits
    audio: SourceAudio
    raw: RawFormat | None
    longest: int
    """In samples."""
    check: Callable[[], None]
    fed: Callable[[int], None]

    @property
    def position(self) -> int:
        """How many samples there are so far."""

    def lanes(self, count: int) -> list[Lane]:
        """The first ``count`` lanes."""

    def allow(self, samples: int) -> None:
        """Raises LimitExceeded if a recording must not be so long."""

    def found(self, facts: AudioFacts) -> None:
        """Take note of which sound is transcribed."""

    def warn(self, warnings: list[AudioWarning]) -> None:
        """Take note of warnings."""


class Conversion:
    """One piece of a recording on its way through ffmpeg."""

    def __init__(self, recording: Recording, piece: Piece, head: bytes) -> None:
        self._recording = recording
        self._piece = piece
        self._head = head
        self._separate = recording.audio.channels is ChannelMode.SEPARATE
        self._mix: str | None = None if self._separate else ffmpeg.MIX
        self._undecodable: dict[int, str] = {}
        self._silent: list[int] = []

    def run(self) -> None:
        """Write all of it to the recording's lanes; raises like media.decode."""
        recording, piece = self._recording, self._piece
        is_part = piece.start > 0 or piece.stop < recording.arrival.size
        take = None
        if is_part or recording.raw or can_stream(self._head):
            take = self._take(stream=True)
        if not is_part and (take is None or not take.count):
            # What the stream did not give, the file may: an index at the end, a tag in front.
            recording.arrival.wait_whole(recording.check)
            take = self._take(stream=False)
        assert take is not None
        self._judge(take)

    def _take(self, *, stream: bool) -> Take:
        """Run ffmpeg until the right tracks have come, or none is left to try."""
        maps: Sequence[int] | None = tracks.first_guess(self._recording.audio)
        self._undecodable.clear()
        self._silent.clear()
        for _ in range(_MOST_RUNS):
            take = Take(self._recording, maps, self._wanted, separate=self._separate)
            try:
                self._run(take, stream=stream)
            except OtherTracksError as other:
                maps = other.maps
                continue
            if take.is_audible or (take.count and take.is_last_resort):
                break
            following = self._following(take, maps)
            if following is None:
                break
            maps = following
        take.end()
        return take

    def _following(self, take: Take, maps: Sequence[int] | None) -> Sequence[int] | None:
        """What to try after a run that gave nothing to hear; None: nothing."""
        listed = take.outcome.listing.tracks
        current = list(range(len(listed))) if maps is None else list(maps)
        channels = _channels_without_layout(take.outcome.complaints)
        if channels and not take.count and self._mix == ffmpeg.MIX:
            self._mix = "pan=mono|c0<" + "+".join(f"c{c}" for c in range(channels))
            return maps if maps is not None else current
        if take.count:
            if set(current) <= set(self._silent):
                return None
            self._silent += current
        else:
            broken = [
                each
                for each in current
                if each < len(listed) and listed[each].stream in take.outcome.undecodable
            ]
            for each in broken or [each for each in current if each < len(listed)]:
                self._undecodable[each] = listed[each].codec
        following = self._wanted(listed)
        return following if following and following != current else None

    def _wanted(self, listed: Sequence[tracks.Track]) -> list[int]:
        excluded = {*self._undecodable, *self._silent}
        wanted = tracks.chosen(listed, self._recording.audio, excluded)
        # If every one is silent, it is the first choice after all.
        return wanted or self._silent[:1]

    def _run(self, take: Take, *, stream: bool) -> None:
        recording, piece = self._recording, self._piece
        allowed = MINIMUM_SECONDS + int(
            recording.limits.max_file_seconds * SECONDS_PER_AUDIO_SECOND
        )
        feeder = partial(Feeder, recording.arrival, recording.fed, piece.start, piece.stop)
        outcome = ffmpeg.run(
            ffmpeg.arguments(
                "pipe:0" if stream else f"file:{recording.arrival.path.name}",
                take.maps,
                channels=self._mix,
                raw=recording.raw,
                options=piece.options,
            ),
            str(recording.arrival.path.parent),
            allowed_seconds=allowed,
            sink=take.take,
            feeder=feeder() if stream else None,
            check=recording.check,
            outcome=take.outcome,
        )
        if outcome is None:
            raise LimitExceeded(
                f"decoding {recording.uri} did not end within the {allowed} seconds that "
                "limits.maxFileSeconds allows for"
            )
        if outcome.status < 0:
            raise reasons.killed(signal.Signals(-outcome.status), recording.uri)

    def _judge(self, take: Take) -> None:
        recording, outcome = self._recording, take.outcome
        if not take.count:
            if self._piece.start:
                # What came before it counts.
                recording.warn([_damaged(outcome)])
                return
            raise self._undecodable_error(outcome)
        recording.warn(take.warnings())
        recording.warn(self._track_warnings(take))
        if (outcome.status or outcome.errors) and not take.has_gaps:
            recording.warn([_damaged(outcome)])

    def _undecodable_error(self, outcome: Outcome) -> MediaInvalid:
        recording = self._recording
        wanted, listed = recording.audio.track, outcome.listing.tracks
        if isinstance(wanted, int) and 0 < len(listed) < wanted:
            return MediaInvalid(
                f"{recording.uri} has {len(listed)} audio track{'s' * (len(listed) > 1)}, and "
                f"source.audio.track asks for number {wanted}: choose one of them, or auto"
            )
        return reasons.undecodable(
            recording.uri, recording.arrival.path, self._head, outcome, self._undecodable.values()
        )

    def _track_warnings(self, take: Take) -> list[AudioWarning]:
        listed, audio = take.outcome.listing.tracks, self._recording.audio
        told = [
            AudioWarning(
                kind=WarningKind.UNDECODABLE_TRACK,
                message=f"audio track {each + 1} is in {reasons.codec_name(codec)}, which cannot "
                "be decoded: it was left out",
            )
            for each, codec in self._undecodable.items()
        ]
        told += [
            AudioWarning(
                kind=WarningKind.SILENT_TRACK,
                message=f"audio track {each + 1} is silent: another one was transcribed",
            )
            for each in self._silent
            if [each] != list(take.maps or ())
        ]
        if audio.track == "auto" and len(listed) > 1 and take.maps is not None:
            told.append(
                AudioWarning(
                    kind=WarningKind.OTHER_TRACKS,
                    message=f"of {len(listed)} audio tracks, number {take.maps[0] + 1} was "
                    "transcribed: source.audio.track chooses another one, or all",
                )
            )
        return told


def _damaged(outcome: Outcome) -> AudioWarning:
    cause = next(iter(outcome.complaints), "it ended early")
    return AudioWarning(
        kind=WarningKind.DAMAGE,
        message=f"the decoder reported {max(1, outcome.errors)} errors, so that some sound may be "
        f"missing; the first: {cause}",
    )


def _channels_without_layout(complaints: list[str]) -> int:
    """How many channels ffmpeg did not know how to mix, since the file does not say; or 0."""
    found = (_UNMIXED.search(line) for line in complaints)
    return next((int(match[1]) for match in found if match), 0)
