"""first_part_seconds: how long a recording's length keeps its first words waiting."""

import time
from collections.abc import Iterable
from pathlib import Path

from dev.errors import DevError
from dev.say import say
from tests.benchmarks import corpus, ours
from tests.benchmarks.bench import Bench
from tests.benchmarks.memory import repeated
from tests.benchmarks.report import Figure
from tests.benchmarks.workers import ended

POLL_SECONDS = 0.05


def run(bench: Bench) -> Iterable[Figure]:
    """On a long recording and on a short one, each uploaded before."""
    short = corpus.mp3(bench.long(bench.sizes.short_minutes))
    hours = bench.sizes.hours
    times = max(1, round(hours * 60 / bench.sizes.short_minutes))
    long = repeated(short, times, bench.scratch / "first-part.mp3")
    ours.warm_up(bench)
    seconds = {name: _first_part(bench, path) for name, path in (("short", short), ("long", long))}
    return summarise(hours, bench.sizes.short_minutes, seconds["long"], seconds["short"])


def summarise(hours: float, minutes: float, long: float, short: float) -> list[Figure]:
    """Seconds for both, and their ratio."""
    note = "from the start of the process to the first stored part"
    peer = f"ours, {minutes:g} min: {short:.1f}"
    return [Figure(f"first_part_seconds.{hours:g} h", long, "s", long / short, peer, note)]


def _first_part(bench: Bench, path: Path) -> float:
    task = ours.task_on(bench, [path])
    began = time.monotonic()
    worker = ours.start(bench, task)
    with ended([worker]):
        while not bench.cluster.parts(task):
            if worker.process.poll() is not None:
                raise DevError(f"The worker ended before a part was seen:\n{worker.log[-2000:]}")
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - began
    say(f"  {path.stat().st_size >> 20} MiB: first part after {seconds:.1f} s")
    return seconds
