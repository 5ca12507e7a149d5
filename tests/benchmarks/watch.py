"""Running a process to its end with an eye on its time and memory."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.sampling import every

SAMPLE_SECONDS = 0.05
_KIB = 1024
MIB = 1024**2


@dataclass(frozen=True)
class Watched:
    """``seconds``: from the start to the end. ``peak``: resident bytes, its children's included."""

    seconds: float
    peak: int


def watch(process: "subprocess.Popen[bytes]", began: float, timeout: float) -> Watched:
    """Wait for a process that began at ``began`` (time.monotonic), sampling its memory.

    The peak is the largest sum of resident memory over the process and its descendants, seen every
    50 ms; or the process's own high-water mark where that is more.
    """
    peak = 0

    def look() -> None:
        nonlocal peak
        family = sum(_kib(pid, "VmRSS") for pid in _family(process.pid))
        peak = max(peak, family, _kib(process.pid, "VmHWM"))

    with every(SAMPLE_SECONDS, look):
        try:
            process.wait(timeout)
            seconds = time.monotonic() - began
        except BaseException:
            process.kill()
            raise
    return Watched(seconds, peak * _KIB)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it has ended meanwhile
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in _read(children).split():
                yield from _family(int(child))


def _kib(pid: int, key: str) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""
