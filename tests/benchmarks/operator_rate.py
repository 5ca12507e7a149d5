"""operator_jobs_per_second and operator_cpu_ms_per_job: many TranscriptionJobs at once, until each
has its Job and a status."""

import time
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import SHARED, Peer, cpu_seconds, operator_stage, upto
from tests.benchmarks.report import Figure, against
from tests.integration.operator.process import Operator

SECONDS_EACH = 0.5
"""Nobody is waited for longer."""

PEER = "kopf's event handler, a queue of keys and the asynchronous client"


class Reached(NamedTuple):
    """Seconds from the first apply: until the last was accepted, and until all was done.

    ``cpu``: seconds of processor time that the operator took for it.
    """

    applied: float
    done: float
    cpu: float = 0.0


def run(bench: Bench) -> Iterable[Figure]:
    """Ours and the peer in turn; the median counts. The largest number is tried once."""
    for count in upto(bench.sizes.operator_jobs):
        rounds = int(bench.sizes.rounds) if count <= 1000 else 1
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(reached(Operator, count))
            theirs.append(reached(Peer, count))
        yield summarise(count, ours, theirs, bench.threads)
        yield summarise_cpu(count, ours, theirs)


def reached(contender: type[Operator], count: int) -> Reached:
    """One run, on a fresh control plane."""
    with operator_stage() as stage, stage.running(contender) as operator:
        assert operator.pid is not None
        witness, before = stage.witness, cpu_seconds(operator.pid)
        began = time.monotonic()
        stage.apply(f"job-{number:05d}" for number in range(count))
        applied = time.monotonic() - began
        wait_until(
            f"{count} Jobs and statuses are there",
            lambda: min(len(witness.job_seen), len(witness.status_seen)) == count,
            timeout=60 + SECONDS_EACH * count,
        )
        last = max(*witness.job_seen.values(), *witness.status_seen.values())
        assert all(len(uids) == 1 for uids in witness.jobs.values()), "some had two Jobs"
        return Reached(applied, last - began, cpu_seconds(operator.pid) - before)


def summarise(count: int, ours: list[Reached], theirs: list[Reached], threads: int) -> Figure:
    """Jobs through the median of the rounds' seconds."""
    done = median(one.done for one in ours)
    return against(
        f"operator_jobs_per_second.{count} jobs",
        count / done,
        count / median(one.done for one in theirs),
        "jobs/s",
        peer=PEER,
        note=f"{len(ours)} rounds, {done:.1f} s; the client had applied all after "
        f"{median(one.applied for one in ours):.1f} s; {SHARED.format(threads=threads)}",
    )


def summarise_cpu(count: int, ours: list[Reached], theirs: list[Reached]) -> Figure:
    """Processor time a job: on two cores that hold the control plane too, what an operator costs
    says more than how fast the jobs come."""
    return against(
        f"operator_cpu_ms_per_job.{count} jobs",
        1000 * median(one.cpu for one in ours) / count,
        1000 * median(one.cpu for one in theirs) / count,
        "ms",
        peer=PEER,
        note=f"{len(ours)} rounds; user and system time of the process",
    )
