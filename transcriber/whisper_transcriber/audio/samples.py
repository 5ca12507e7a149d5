"""Decoded samples on disk, read piece by piece: a recording's length costs no memory.

They can be read while the decoder still writes them, so that the beginning of a recording is
transcribed while its end is still on its way.
"""

import os
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whisper_transcriber.audio.background import BackgroundProducer
from whisper_transcriber.audio.windows import Span, Window

Waveform = NDArray[np.float32]
"""Mono samples at 16 kHz in [-1, 1)."""

ReadWaveform = Callable[[int, int, int, int], Waveform]
"""By an item's number, two positions, and the lane."""

SAMPLE_BYTES = 2


class Samples:
    """A growing file of 16 kHz mono signed 16-bit samples.

    Read with pread: pages of a memory map would count as this process's memory. The file may be
    unlinked while it is read.
    """

    def __init__(
        self, path: Path, decode: Callable[[], None], waiting: Callable[[], None] = lambda: None
    ) -> None:
        """Starts ``decode`` in a thread of its own.

        Args:
            path: the file that ``decode`` appends to.
            decode: returns when all is written; what it raises is raised by every later read.
            waiting: called now and then while a read waits.
        """
        path.touch()
        self._file = path.open("rb", buffering=0)
        self._measure = partial(_samples_in, self._file)
        self._waiting = waiting
        self._growing = BackgroundProducer(decode, self._measure, "samples")

    def lane(self, path: Path) -> "Samples":
        """Another file that the same decoding fills, which is there already."""
        lane = Samples.__new__(Samples)
        lane._file = path.open("rb", buffering=0)
        lane._measure = partial(_samples_in, lane._file)
        lane._waiting = self._waiting
        lane._growing = self._growing
        return lane

    def has(self, count: int) -> bool:
        """Waits until there are ``count`` samples or all; whether there are so many."""
        return self._growing.wait(count, self._waiting, self._measure) >= count

    def wait_for(self, is_known: Callable[[], bool]) -> None:
        """Waits until something is known that the decoding finds out, or until it ends."""
        self._growing.wait(1, self._waiting, lambda: int(is_known()))

    @property
    def count(self) -> int:
        """How many there are in all; waits for the last one."""
        self._growing.wait_end(self._waiting)
        return self._measure()

    @property
    def so_far(self) -> int:
        """How many have been written by now."""
        return _samples_in(self._file)

    @property
    def complete(self) -> bool:
        """Whether the last one is there, or none will come any more."""
        return self._growing.ended

    def integers(self, start: int, stop: int) -> NDArray[np.int16]:
        """The samples ``start`` to ``stop`` (excluded) as they are on disk; waits for them."""
        self.has(stop)
        content = os.pread(self._file.fileno(), (stop - start) * SAMPLE_BYTES, start * SAMPLE_BYTES)
        return np.frombuffer(content, dtype="<i2")

    def waveform(self, start: int, stop: int) -> Waveform:
        """The samples ``start`` to ``stop`` (excluded), shape (stop - start,)."""
        return as_waveform(self.integers(start, stop))


def as_waveform(integers: NDArray[np.int16]) -> Waveform:
    """Samples as they are on disk, in [-1, 1)."""
    return integers.astype(np.float32) / np.float32(32768)


def _samples_in(file: FileIO) -> int:
    # No method: a circle of references would keep the file open when nobody uses it any more.
    return os.fstat(file.fileno()).st_size // SAMPLE_BYTES


def heard(window: Window, read: ReadWaveform, *, joined: bool) -> Waveform:
    """What a model hears of a window: all of it, or the speech in it without the pauses."""
    stretches = window.speech if joined else (Span(window.start, window.stop),)
    return np.concatenate([read(window.item, *span, window.lane) for span in stretches])
