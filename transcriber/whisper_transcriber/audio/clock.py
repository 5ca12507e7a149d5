"""The recording's own clock: what its timestamps say, beside how many samples came: pure.

A position in the samples is a time of the container's presentation. Where sound is missing (a
paused recording, lost packets, a damaged stretch), silence keeps the place. Timestamps that begin
again are those of a second recording glued behind the first: it follows where the first ends.
"""

from collections.abc import Callable
from dataclasses import dataclass

from whisper_transcriber.audio.facts import AudioWarning, WarningKind
from whisper_transcriber.audio.windows import SAMPLE_RATE

TOLERANCE = SAMPLE_RATE // 10
"""Timestamps jitter; what is off by less is let be (ffmpeg's aresample has the same limit)."""

LATE = SAMPLE_RATE // 20
"""Sound that begins later than this is late; an encoder's priming is less."""

_SMALL = SAMPLE_RATE // 4
_DROPPED_SHARE = 10
"""Of the sound, at most a tenth is left out to follow a slow clock: beyond, the clock is wrong."""

_MILLISECOND = SAMPLE_RATE // 1000
_TOLD = 10
"""More gaps than this are told as one warning."""


@dataclass(frozen=True)
class _Gap:
    start: int
    samples: int
    is_damage: bool


class Clock:
    """One track's."""

    def __init__(
        self, origin: int, limit: int, errors: Callable[[], int], *, has_zero: bool = True
    ) -> None:
        """Begin at a position.

        Args:
            origin: the position of the time 0.
            has_zero: whether the time 0 means anything: in a bare stream of frames, such as an
                MP3, the first sound is the beginning.
            limit: no gap leads beyond this position: such timestamps are wrong.
            errors: how many errors the decoder has reported so far.
        """
        self._offset = origin
        self._has_zero = has_zero
        self._limit = limit
        self._errors = errors
        self._seen_errors = 0
        self._last: int | None = None
        self._last_count = 0
        self._restarting = False
        self._late = 0
        self._origin = origin
        self._gaps: list[_Gap] = []
        self._dropped = 0
        self.restarts = 0

    def place(self, milliseconds: int, count: int, position: int) -> int:
        """How many samples of silence come before a block; negative: how many of it to leave out.

        Args:
            milliseconds: what the block's timestamp says.
            count: its samples.
            position: where it would lie.
        """
        first, stuck = self._last is None, self._is_stuck(milliseconds)
        self._last, self._last_count = milliseconds, count
        off = milliseconds * _MILLISECOND + self._offset - position
        if stuck:
            # ffmpeg holds timestamps that go back at the last one.
            self._restarting = True
            return 0
        if self._restarting:
            self._restarting = False
            self.restarts += 1
            self._offset -= off
            return 0
        if first:
            return self._begin(off)
        return self._corrected(off, count, position)

    def _is_stuck(self, milliseconds: int) -> bool:
        return (
            self._last is not None
            and milliseconds <= self._last
            and self._last_count >= 2 * _MILLISECOND
        )

    def _begin(self, off: int) -> int:
        if self._has_zero and LATE < off <= self._limit:
            self._late += off
            return off
        self._offset -= off
        return 0

    def _corrected(self, off: int, count: int, position: int) -> int:
        if -TOLERANCE <= off <= TOLERANCE:
            return 0
        if off > 0 and position - self._origin <= LATE and self._has_zero:
            # A frame or two of an encoder's priming came before.
            return self._begin(off)
        if off > 0 and position + off <= self._limit:
            errors = self._errors()
            self._gaps.append(_Gap(position, off, is_damage=errors > self._seen_errors))
            self._seen_errors = errors
            return off
        drop = min(-off, count)
        allowed = (position - self._origin) // _DROPPED_SHARE + SAMPLE_RATE
        if off < 0 and self._dropped + drop <= allowed:
            self._dropped += drop
            return -drop
        self.restarts += 1
        self._offset -= off
        return 0

    def warnings(self) -> list[AudioWarning]:
        """What was filled in and left out, in order."""
        told: list[AudioWarning] = []
        if self._late > TOLERANCE:
            told.append(
                _warning(
                    WarningKind.LATE_START, self._origin, self._late,
                    "the sound begins {seconds} s after the recording: silence stands before it",
                )
            )  # fmt: skip
        small = [gap for gap in self._gaps if gap.samples < _SMALL]
        drifts = len(small) > 2 or self._dropped > 0
        told += _gaps([gap for gap in self._gaps if not (drifts and gap in small)])
        if drifts:
            told.append(_drift(sum(gap.samples for gap in small), self._dropped))
        if self.restarts:
            told.append(
                AudioWarning(
                    kind=WarningKind.CLOCK_RESET,
                    message=f"the timestamps jump or begin again {_times(self.restarts)}, as in "
                    "recordings glued together: what follows was placed where the sound before "
                    "it ends",
                )
            )
        return told

    @property
    def has_gaps(self) -> bool:
        """Whether missing sound has a place."""
        return any(gap.is_damage for gap in self._gaps)


_SENTENCES = {
    WarningKind.GAP: "{seconds} s of sound are missing at {start} s (a pause, or lost packets): "
    "silence stands for them",
    WarningKind.DAMAGE: "{seconds} s at {start} s are damaged and could not be decoded: silence "
    "stands for them",
}


def _gaps(gaps: list[_Gap]) -> list[AudioWarning]:
    told: list[AudioWarning] = []
    for kind, sentence in _SENTENCES.items():
        of_kind = [gap for gap in gaps if gap.is_damage == (kind is WarningKind.DAMAGE)]
        if len(of_kind) > _TOLD:
            seconds = sum(gap.samples for gap in of_kind)
            told.append(
                _warning(
                    kind, of_kind[0].start, seconds,
                    f"{{seconds}} s of sound are missing in {len(of_kind)} places, the first at "
                    "{start} s: silence stands for them",
                )
            )  # fmt: skip
        else:
            told += [_warning(kind, gap.start, gap.samples, sentence) for gap in of_kind]
    return sorted(told, key=lambda each: each.start or 0.0)


def _drift(filled: int, dropped: int) -> AudioWarning:
    seconds = round((filled - dropped) / SAMPLE_RATE, 3)
    return AudioWarning(
        kind=WarningKind.DRIFT,
        seconds=abs(seconds),
        message=f"the timestamps and the sound drift apart by {abs(seconds):g} s: "
        + ("silence was put in" if seconds >= 0 else "sound was left out")
        + " to follow the timestamps",
    )


def _warning(kind: WarningKind, start: int, samples: int, sentence: str) -> AudioWarning:
    begin, seconds = round(start / SAMPLE_RATE, 3), round(samples / SAMPLE_RATE, 3)
    message = sentence.format(seconds=f"{seconds:g}", start=f"{begin:g}")
    return AudioWarning(kind=kind, message=message, start=begin, seconds=seconds)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
