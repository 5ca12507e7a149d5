"""One run of ffmpeg on its way to disk: blocks of samples in their places."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from transcription_contract.options import SourceAudio
from whisper_transcriber.audio import avi
from whisper_transcriber.audio.clock import Clock
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.ffmpeg import Outcome
from whisper_transcriber.audio.lanes import HeldLane, Lane, TrackMixer
from whisper_transcriber.audio.matroska import Block, MatroskaReader
from whisper_transcriber.audio.samples import SAMPLE_BYTES
from whisper_transcriber.audio.tracks import Track
from whisper_transcriber.audio.windows import SAMPLE_RATE

_BARE_STREAMS = frozenset(
    ["aac", "ac3", "amr", "dts", "dtshd", "eac3", "flac", "loas", "mlp", "mp3", "truehd"]
)
"""ffmpeg's names of formats that are nothing but frames, one after the other."""

_FRAME = SAMPLE_RATE // 100
"""Less than a frame of sound."""


class OtherTracksError(Exception):
    """Other tracks than those that were asked for are the right ones: ``maps``."""

    def __init__(self, maps: list[int]) -> None:
        super().__init__(maps)
        self.maps = maps


class Target(Protocol):
    """Where the samples go."""

    arrival: StreamingDownload
    audio: SourceAudio
    longest: int

    @property
    def position(self) -> int:
        """How many samples there are so far."""

    def lanes(self, count: int) -> list[Lane]:
        """The first ``count`` lanes."""

    def allow(self, samples: int) -> None:
        """Raises LimitExceeded if a recording must not be so long."""

    def found(self, facts: AudioFacts) -> None:
        """Take note of which sound is transcribed."""


class Take:
    """What one run gives. ``maps``: the numbers of its tracks, from 0 on; None: all of them.

    ``count``: the samples that came. ``outcome``: what ffmpeg says, filled in while it runs.
    """

    def __init__(
        self,
        target: Target,
        maps: Sequence[int] | None,
        wanted: Callable[[Sequence[Track]], list[int]],
        *,
        separate: bool,
    ) -> None:
        """``wanted``: which of the listed tracks are the right ones."""
        self.maps = maps
        self.count = 0
        self.outcome = Outcome()
        self.is_last_resort = True
        self._target = target
        self._wanted = wanted
        self._separate = separate
        self._reader = MatroskaReader()
        self._mixers: list[TrackMixer] = []
        self._clocks: list[Clock] = []
        self._held: list[HeldLane] = []
        self._silences: list[avi.Silence] = []

    @property
    def is_audible(self) -> bool:
        """Whether anything was written that is not silence."""
        if not self.count:
            return False
        return not self._held or not all(lane.is_silent for lane in self._held)

    @property
    def has_gaps(self) -> bool:
        """Whether damage has a place."""
        return any(clock.has_gaps for clock in self._clocks)

    def take(self, piece: bytes) -> None:
        """Write what ``piece`` of ffmpeg's output completes.

        Raises:
            OtherTracksError: before anything is written.
        """
        blocks = self._reader.feed(piece)
        if not blocks:
            channels = max(self._reader.channels.values(), default=1)
            self._target.allow(self._reader.needed // (channels * SAMPLE_BYTES))
            return
        if not self._mixers:
            self._begin()
        for track in range(len(self._mixers)):
            self._write(track, [block for block in blocks if block.track == track])

    def end(self) -> None:
        """Write what waits for more."""
        for mixer in self._mixers:
            mixer.flush()
        for lane in self._held:
            lane.release()

    def warnings(self) -> list[AudioWarning]:
        """What is told of the sound; the same of several tracks once."""
        told = [each for clock in self._clocks for each in clock.warnings()]
        told += [each for mixer in self._mixers for each in mixer.warnings()]
        return list(dict.fromkeys(told))

    def _begin(self) -> None:
        listed = self.outcome.listing.tracks
        wanted = self._wanted(listed)
        current = list(range(len(listed))) if self.maps is None else list(self.maps)
        if listed and wanted and wanted != current:
            raise OtherTracksError(wanted)
        channels = [self._reader.channels[each] for each in sorted(self._reader.channels)]
        counts = [each if self._separate else 1 for each in channels]
        lanes: list[Lane | HeldLane] = list(self._target.lanes(sum(counts)))
        if self._target.audio.track == "auto" and len(listed) > 1:
            self.is_last_resort = False
            self._held = [HeldLane(lane) for lane in lanes if isinstance(lane, Lane)]
            lanes = list(self._held)
        if self.outcome.listing.container == "avi" and current:
            self._silences = avi.silences(self._target.arrival.path, current[0])
        self._target.found(self._facts(listed, sum(channels)))
        origin = self._target.position
        for each, count in zip(channels, counts, strict=True):
            self._mixers.append(TrackMixer(each, lanes[:count]))
            self._clocks.append(
                Clock(
                    origin,
                    self._target.longest,
                    lambda: self.outcome.errors,
                    has_zero=self.outcome.listing.container not in _BARE_STREAMS,
                )
            )
            lanes = lanes[count:]

    def _facts(self, listed: Sequence[Track], channels: int) -> AudioFacts:
        one = self.maps[0] if self.maps is not None and len(self.maps) == 1 else None
        track = listed[one or 0] if len(listed) > (one or 0) else Track(0, "")
        return AudioFacts(
            track=None if one is None or self._target.audio.track == "all" else one + 1,
            tracks=max(1, len(listed)),
            channels=track.channels or channels,
            separate=self._separate,
            codec=track.codec,
            container=self.outcome.listing.container,
            sample_rate=track.sample_rate,
        )

    def _write(self, track: int, blocks: list[Block]) -> None:
        mixer, clock = self._mixers[track], self._clocks[track]
        width = self._reader.channels[track] * SAMPLE_BYTES
        pending: list[bytes] = []
        position = mixer.position
        for block in blocks:
            content, count = block.content, len(block.content) // width
            time = block.milliseconds + self.outcome.start + self._shift(block.milliseconds)
            missing = clock.place(time, count, position)
            if missing > 0:
                self._append(mixer, pending, width)
                pending = []
                mixer.silence(missing)
            elif missing < 0:
                content = content[-missing * width :]
            pending.append(content)
            position += count + missing
            self.count += count
        self._append(mixer, pending, width)

    def _shift(self, milliseconds: int) -> int:
        """How much later than ffmpeg says a block begins, in ms: see avi.py."""
        at = milliseconds * SAMPLE_RATE // 1000
        found = bisect_right(self._silences, at + _FRAME, key=lambda each: each.at)
        return self._silences[found - 1].total * 1000 // SAMPLE_RATE if found else 0

    @staticmethod
    def _append(mixer: TrackMixer, pending: list[bytes], width: int) -> None:
        if pending:
            samples = np.frombuffer(b"".join(pending), "<i2")
            mixer.write(samples.reshape(-1, width // SAMPLE_BYTES))
