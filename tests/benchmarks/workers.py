"""speedup_workers: two workers of one core each against one of them, on one recording."""

import os
import select
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from dev.errors import DevError
from dev.say import say
from tests.benchmarks import corpus, ours
from tests.benchmarks.bench import Bench
from tests.benchmarks.peers import TIMEOUT_SECONDS
from tests.benchmarks.report import Figure
from tests.integration.transcriber.worker import Worker


def run(bench: Bench) -> Iterable[Figure]:
    """One and two in turn, so that a busy minute hits both."""
    clip = bench.long(bench.sizes.long_minutes)
    path = corpus.mp3(clip)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        say("  skipped: there is only one core")
        return []
    ours.warm_up(bench)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(max(1, round(bench.sizes.rounds))):
        for count, taken in seconds.items():
            task = ours.task_on(bench, [path], workers=count)
            began = time.monotonic()
            workers = [ours.start(bench, task, index, cores[index]) for index in range(count)]
            with ended(workers):
                first_success(workers)
                taken.append(time.monotonic() - began)
            say(f"  {count} workers: {taken[-1]:.1f} s")
    return summarise(clip.seconds, seconds[1], seconds[2])


def summarise(audio_seconds: float, one: Sequence[float], two: Sequence[float]) -> list[Figure]:
    """How many times faster two are, from process start to the delivered result."""
    return [
        Figure(
            "speedup_workers.2 against 1", median(one) / median(two), "times", None, "",
            f"{audio_seconds / 60:.0f} min; {median(one):.1f} s and {median(two):.1f} s, the start "
            "of Python and the model included; one core a worker, on which ffmpeg and the store "
            "run as well",
        )
    ]  # fmt: skip


def first_success(workers: Sequence[Worker]) -> None:
    """Wait until a worker has ended well: then the results are delivered."""
    ends = [os.pidfd_open(worker.process.pid) for worker in workers]
    try:
        if not select.select(ends, (), (), TIMEOUT_SECONDS)[0]:
            raise DevError(f"No worker ended within {TIMEOUT_SECONDS:.0f} s.")
    finally:
        for end in ends:
            os.close(end)
    for worker in workers:
        if worker.process.poll() is not None:
            ours.check(worker)


@contextmanager
def ended(workers: Sequence[Worker]) -> Iterator[None]:
    """None of them is left in the end, however that comes: the next benchmark wants the cores."""
    try:
        yield
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
