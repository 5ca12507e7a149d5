"""How busy the GPU is, by NVIDIA's own count."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean

from tests.benchmarks.sampling import every

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
    busy = Busy()
    try:
        import pynvml  # type: ignore[import-not-found]

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    except Exception:
        yield busy
        return

    def sample() -> None:
        busy.samples.append(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)

    with every(_EVERY_SECONDS, sample):
        yield busy
