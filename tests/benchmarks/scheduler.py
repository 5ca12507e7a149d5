"""scheduler_speedup_8: eight workers whose engine only sleeps, so that sharing out is all there is.

The machine's cores do not matter then: what is measured is the time that workers stand idle,
because they do not find the next unit or do one that another has done.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dev.paths import ROOT
from tests.benchmarks import corpus, ours
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Figure
from tests.benchmarks.workers import ended, first_success

WORKERS = 8
UNITS_EACH = 10
SLEEPING_WORKER = "tests.benchmarks.sleeping_worker"
WINDOW_SECONDS = 16
"""About what a window of the talk accounts for, pauses included."""


class Nap(NamedTuple):
    """One call of the sleeping engine: a digest of its windows, and the monotonic clock."""

    what: str
    start: float
    end: float


def run(bench: Bench) -> Iterable[Figure]:
    """One recording of some eighty units of one window each."""
    clip = bench.long(WORKERS * UNITS_EACH * WINDOW_SECONDS / 60)
    logs = bench.scratch / "naps"
    logs.mkdir()
    task = ours.task_on(bench, [corpus.mp3(clip)], workers=WORKERS, batch_size=1)
    workers = [
        bench.cluster.start(
            task, index, asleep(bench.sizes.unit_seconds, logs), module=SLEEPING_WORKER
        )
        for index in range(WORKERS)
    ]
    with ended(workers):
        first_success(workers)
    return summarise(naps(logs), bench.sizes.unit_seconds)


def asleep(seconds: float, logs: Path) -> dict[str, str]:
    """The environment of a worker whose engine sleeps so long for each batch."""
    return {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'transcriber'}",
        "NAP_SECONDS": str(seconds),
        "NAP_LOGS": str(logs),
        "OMP_NUM_THREADS": "1",
    }


def naps(logs: Path) -> list[Nap]:
    """What such workers wrote down."""
    return [
        Nap(*json.loads(line)) for log in logs.iterdir() for line in log.read_text().splitlines()
    ]


def summarise(slept: Sequence[Nap], unit_seconds: float) -> list[Figure]:
    """What one worker would have slept, through the time from the first nap to the last one's end.

    A unit that two workers did counts once.
    """
    units = {nap.what for nap in slept}
    span = max(nap.end for nap in slept) - min(nap.start for nap in slept)
    return [
        Figure(
            f"scheduler_speedup_{WORKERS}.speedup", len(units) * unit_seconds / span, "times",
            note=f"{len(units)} units of {unit_seconds:g} s asleep, {len(slept)} done, by "
            f"{WORKERS} processes; one would need {len(units) * unit_seconds:.0f} s, they took "
            f"{span:.1f} s from the first unit's start to the last one's end",
        )
    ]  # fmt: skip
