"""api_writes_per_job: what the operator changes in the API server during a job's life.

Counted by the proxy that the fault tests use, without a fault. The pods have no address, so that
no progress is read.
"""

import random
from collections.abc import Iterable, Mapping

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import operator_stage
from tests.benchmarks.report import Figure
from tests.integration.operator.company import DELIVERED
from tests.integration.operator.fault_proxy import FaultProxy
from tests.integration.operator.playing import Ending
from tests.integration.operator.wire import Access

RUN_SECONDS = 5.0

Asked = Mapping[tuple[str, str], int]


def run(bench: Bench) -> Iterable[Figure]:
    """Lives from Pending over Running to Succeeded, many at once."""
    count = int(bench.sizes.operator_lives)
    with operator_stage() as stage:
        access = Access.read(stage.credentials)
        proxy = stage.background.enter(FaultProxy.open(access, random.Random(1)))
        stage.play(lambda _name, _turn: Ending(0, DELIVERED, RUN_SECONDS))
        with stage.running(kubeconfig=proxy.kubeconfig(stage.log.with_name("proxied"))):
            before = dict(proxy.asked)
            stage.apply(f"job-{number:04d}" for number in range(count))
            wait_until(
                "all have ended",
                lambda: stage.witness.finished() == count,
                timeout=120 + count,
            )
            after = dict(proxy.asked)
    return summarise(count, {key: after[key] - before.get(key, 0) for key in after})


def summarise(count: int, asked: Asked) -> list[Figure]:
    """Without leases, whose renewals go by the clock."""
    jobs_own = {key: times for key, times in asked.items() if key[1] != "leases"}
    writes = {key: n for key, n in jobs_own.items() if key[0] not in ("get", "watch")}
    reads = sum(n for key, n in jobs_own.items() if key[0] == "get")
    split = ", ".join(
        f"{verb.upper()} {resource} {times / count:.2f}"
        for (verb, resource), times in sorted(writes.items(), key=lambda pair: -pair[1])
    )
    note = f"{count} jobs from Pending over Running to Succeeded, progress off: {split}"
    return [
        Figure("api_writes_per_job.writes", sum(writes.values()) / count, "a job", note=note),
        Figure("api_writes_per_job.reads", reads / count, "a job", note="watches do not count"),
    ]
