"""create_latency_p99: one TranscriptionJob at a time, from apply until its Job is heard of."""

import time
from collections.abc import Iterable

from dev.errors import DevError
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import (
    SHARED,
    OperatorStage,
    Peer,
    operator_stage,
    percentile,
)
from tests.benchmarks.report import Figure, against
from tests.integration.operator.process import Operator

LONGEST_SECONDS = 30.0


def run(bench: Bench) -> Iterable[Figure]:
    """Ours, and then the peer, each on an API server that has nothing else to do."""
    count = int(bench.sizes.operator_one_by_one)
    ours, theirs = latencies(Operator, count), latencies(Peer, count)
    return summarise(ours, theirs, bench.threads)


def latencies(contender: type[Operator], count: int) -> list[float]:
    """Seconds, one after the other; each begins when the one before has a Job and a status."""
    with operator_stage() as stage, stage.running(contender):
        names = [f"job-{number:04d}" for number in range(count + 1)]
        try:
            # The first one opens the connections.
            return [stage.background.wait(_latency(stage, name)) for name in names][1:]
        except TimeoutError:
            raise DevError(f"there was a job without a Job for {LONGEST_SECONDS:g} s") from None


async def _latency(stage: OperatorStage, name: str) -> float:
    witness = stage.witness
    began = time.monotonic()
    await stage.apply_one(name)
    await witness.until(
        lambda: name in witness.job_seen and name in witness.status_seen, LONGEST_SECONDS
    )
    return witness.job_seen[name] - began


def summarise(ours: list[float], theirs: list[float], threads: int) -> list[Figure]:
    """Two percentiles, in milliseconds."""
    note = f"{len(ours)} jobs, one at a time; {SHARED.format(threads=threads)}"
    return [
        against(
            f"create_latency_p99.p{percent}",
            1000 * percentile(ours, percent),
            1000 * percentile(theirs, percent),
            "ms",
            peer="kopf's event handler, a queue of keys and the asynchronous client",
            note=note,
        )
        for percent in (99, 50)
    ]
