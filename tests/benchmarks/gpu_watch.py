"""How busy the GPU is, by NVIDIA's own count."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean

_EVERY_SECONDS = 0.05


@dataclass
class Busy:
    """Shares of time in which a kernel ran, 0 to 1."""

    samples: list[float] = field(default_factory=list)

    def mean(self) -> float | None:
        """Their mean; None without a GPU, or NVIDIA's library for Python."""
        return fmean(self.samples) if self.samples else None


@contextlib.contextmanager
def watching() -> Iterator[Busy]:
    """Sample while the block runs."""
    busy, done = Busy(), threading.Event()
    try:
        import pynvml  # type: ignore[import-not-found]

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    except Exception:
        yield busy
        return

    def sample() -> None:
        while not done.wait(_EVERY_SECONDS):
            busy.samples.append(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield busy
    finally:
        done.set()
        thread.join()
