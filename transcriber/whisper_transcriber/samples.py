"""Decoded samples on disk, read piece by piece: a recording's length costs no memory."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]
"""Mono samples at 16 kHz in [-1, 1)."""

SAMPLE_BYTES = 2


class Samples:
    """A file of 16 kHz mono signed 16-bit samples.

    Read with pread: pages of a memory map would count as this process's memory.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.count = os.fstat(self._file.fileno()).st_size // SAMPLE_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def integers(self, start: int, stop: int) -> NDArray[np.int16]:
        """The samples ``start`` to ``stop`` (excluded) as they are on disk."""
        content = os.pread(self._file.fileno(), (stop - start) * SAMPLE_BYTES, start * SAMPLE_BYTES)
        return np.frombuffer(content, dtype="<i2")

    def waveform(self, start: int, stop: int) -> Waveform:
        """The samples ``start`` to ``stop`` (excluded), shape (stop - start,)."""
        return self.integers(start, stop).astype(np.float32) / np.float32(32768)
