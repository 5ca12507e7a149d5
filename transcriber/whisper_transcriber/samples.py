"""Decoded samples on disk, read piece by piece: a recording's length costs no memory.

They can be read while the decoder still writes them, so that the beginning of a recording is
transcribed while its end is still on its way.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""Mono samples at 16 kHz in [-1, 1)."""

SAMPLE_BYTES = 2

_POLL_SECONDS = 0.02
"""ffmpeg decodes seconds of audio in that time."""


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
        self._waiting = waiting
        self._ended = threading.Event()
        self._error: Exception | None = None
        threading.Thread(target=self._run, args=(decode,), daemon=True).start()

    def has(self, count: int) -> bool:
        """Waits until there are ``count`` samples or all; whether there are so many."""
        while True:
            # Looked at before the size: the last samples are written before the end.
            ended = self._ended.is_set()
            if self._error:
                raise self._error
            if self._written() >= count:
                return True
            if ended:
                return False
            self._waiting()
            self._ended.wait(_POLL_SECONDS)

    @property
    def count(self) -> int:
        """How many there are in all; waits for the last one."""
        while not self._ended.wait(_POLL_SECONDS):
            self._waiting()
        if self._error:
            raise self._error
        return self._written()

    @property
    def so_far(self) -> int:
        """How many have been written by now."""
        return self._written()

    @property
    def complete(self) -> bool:
        """Whether the last one is there, or none will come any more."""
        return self._ended.is_set()

    def integers(self, start: int, stop: int) -> NDArray[np.int16]:
        """The samples ``start`` to ``stop`` (excluded) as they are on disk; waits for them."""
        self.has(stop)
        content = os.pread(self._file.fileno(), (stop - start) * SAMPLE_BYTES, start * SAMPLE_BYTES)
        return np.frombuffer(content, dtype="<i2")

    def waveform(self, start: int, stop: int) -> Waveform:
        """The samples ``start`` to ``stop`` (excluded), shape (stop - start,)."""
        return self.integers(start, stop).astype(np.float32) / np.float32(32768)

    def _written(self) -> int:
        return os.fstat(self._file.fileno()).st_size // SAMPLE_BYTES

    def _run(self, decode: Callable[[], None]) -> None:
        try:
            decode()
        except Exception as error:
            self._error = error
        finally:
            self._ended.set()
