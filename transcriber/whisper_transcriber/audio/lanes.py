"""Decoded sound on its way to disk: a file for each sound that is transcribed by itself.

Two channels become the mean of both, as in openai-whisper. Where they are each other's opposite
(a wrongly wired cable), the mean is silent: there, second by second, the louder one is taken.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.facts import AudioWarning, WarningKind
from whisper_transcriber.audio.feeder import write_all
from whisper_transcriber.audio.samples import SAMPLE_BYTES
from whisper_transcriber.audio.windows import SAMPLE_RATE

Integers = NDArray[np.int16]

SILENCE = 2
"""A track that is never louder than this (of 32,768) is digitally silent."""

CANCELLED = 100
"""The mean has less than this part of one channel's energy: 20 dB less."""

_AUDIBLE = 33**2
"""Energy of a sample at -60 dB: what two channels do below it is of no concern."""

_BLOCK = SAMPLE_RATE


class Lane:
    """A growing file of samples.

    Args:
        file: its descriptor.
        check: called with the new length in samples, before so many are written; may raise.
    """

    def __init__(self, file: int, check: Callable[[int], None]) -> None:
        self._file = file
        self._check = check
        self.position = 0

    def write(self, samples: Integers) -> None:
        """Append samples."""
        self.write_bytes(samples.astype("<i2", copy=False).tobytes())

    def write_bytes(self, content: bytes) -> None:
        """Append samples as they lie on disk."""
        after = self.position + len(content) // SAMPLE_BYTES
        self._check(after)
        os.lseek(self._file, self.position * SAMPLE_BYTES, os.SEEK_SET)
        write_all(self._file, content)
        self.position = after

    def silence(self, count: int) -> None:
        """Append silence, which takes no room on disk."""
        self._check(self.position + count)
        self.position += count
        os.ftruncate(self._file, self.position * SAMPLE_BYTES)


class HeldLane:
    """A lane that nothing is written to before something can be heard.

    So that a silent track leaves no trace, and another one can take its place.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._held = 0
        self.is_silent = True

    @property
    def position(self) -> int:
        """How many samples came."""
        return self._lane.position + self._held

    def write(self, samples: Integers) -> None:
        """Append samples."""
        if self.is_silent and not is_audible(samples):
            self._held += len(samples)
            return
        self.release()
        self._lane.write(samples)

    def silence(self, count: int) -> None:
        """Append silence."""
        if self.is_silent:
            self._held += count
        else:
            self._lane.silence(count)

    def release(self) -> None:
        """Write what was held back, and everything from now on."""
        self.is_silent = False
        if self._held:
            self._lane.silence(self._held)
            self._held = 0


class TrackMixer:
    """One track's channels to one lane, or to one for each.

    Args:
        lanes: one, or as many as channels.
    """

    def __init__(self, channels: int, lanes: Sequence[Lane | HeldLane]) -> None:
        self._channels = channels
        self._lanes = lanes
        self._mixes = channels > 1 and len(lanes) == 1
        self._pending: list[Integers] = []
        self._pending_count = 0
        self._cancelled: list[tuple[int, int]] = []

    @property
    def position(self) -> int:
        """How many samples of each channel came."""
        return self._lanes[0].position + self._pending_count

    def write(self, samples: Integers) -> None:
        """Append samples, shape (count, channels)."""
        if not self._mixes:
            for number, lane in enumerate(self._lanes):
                lane.write(samples[:, number])
            return
        self._pending.append(samples)
        self._pending_count += len(samples)
        self._mix(whole=False)

    def silence(self, count: int) -> None:
        """Append silence to every lane."""
        self.flush()
        for lane in self._lanes:
            lane.silence(count)

    def flush(self) -> None:
        """Write what waits for more."""
        self._mix(whole=True)

    def warnings(self) -> list[AudioWarning]:
        """Where the channels cancelled each other."""
        if not self._cancelled:
            return []
        start = self._cancelled[0][0] / SAMPLE_RATE
        seconds = sum(count for _, count in self._cancelled) / SAMPLE_RATE
        return [
            AudioWarning(
                kind=WarningKind.CANCELLED_MIX,
                start=round(start, 3),
                seconds=round(seconds, 3),
                message="left and right are each other's opposite and cancel out for "
                f"{seconds:.1f} s: there one channel was transcribed instead of the mix",
            )
        ]

    def _mix(self, *, whole: bool) -> None:
        if not self._pending_count:
            return
        position = self._lanes[0].position
        first = _BLOCK - position % _BLOCK
        if self._pending_count < first and not whole:
            return
        samples = self._pending[0] if len(self._pending) == 1 else np.concatenate(self._pending)
        taken = 0
        mixed: list[Integers] = []
        end = len(samples)
        while taken < end:
            length = _BLOCK - (position + taken) % _BLOCK
            if taken + length > end and not whole:
                break
            piece = samples[taken : taken + length]
            mono, cancelled = mean(piece)
            if cancelled:
                self._cancelled.append((position + taken, len(piece)))
            mixed.append(mono)
            taken += len(piece)
        self._pending = [samples[taken:]] if taken < end else []
        self._pending_count = end - taken
        self._lanes[0].write(np.concatenate(mixed))


def mean(samples: Integers) -> tuple[Integers, bool]:
    """The mean of the channels, or the loudest one if they cancel out; and whether they do.

    Every machine mixes alike: the sums are whole numbers below 2**53, exact in any order.
    """
    wide = samples.astype(np.float64)
    mixed = np.floor(wide.sum(axis=1) / samples.shape[1])
    energies = np.einsum("ij,ij->j", wide, wide)
    loudest = int(energies.argmax())
    energy = float(energies[loudest])
    if (
        energy > _AUDIBLE * len(samples)
        and float(np.einsum("i,i->", mixed, mixed)) * CANCELLED < energy
    ):
        return samples[:, loudest], True
    return mixed.astype(np.int16), False


def is_audible(samples: Integers) -> bool:
    """Whether anything is louder than digital silence."""
    return bool(len(samples)) and (int(samples.max()) > SILENCE or int(samples.min()) < -SILENCE)
