"""queue_writes_per_end and event_loop_block_ms: what a limit of active jobs costs."""

import random
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import SETTINGS, operator_stage, percentile
from tests.benchmarks.report import Figure
from tests.benchmarks.sampling import every
from tests.integration.operator.company import DELIVERED
from tests.integration.operator.fault_proxy import FaultProxy
from tests.integration.operator.playing import Ending
from tests.integration.operator.wire import Access
from tests.ports import free_ports

STATUS = ("patch", "transcriptionjobs/status")
RUN_SECONDS = 20.0
SECONDS_EACH = 0.5


def run(bench: Bench) -> Iterable[Figure]:
    """Both."""
    yield writes_per_end(int(bench.sizes.operator_queued))
    yield blocked(int(bench.sizes.operator_jobs))


def writes_per_end(count: int) -> Figure:
    """Status writes from one end to the next, of all that wait."""
    limited = SETTINGS | {"OPERATOR_MAX_ACTIVE_JOBS": "1", "OPERATOR_RESYNC_SECONDS": "15"}
    with operator_stage() as stage:
        access = Access.read(stage.credentials)
        proxy = stage.background.enter(FaultProxy.open(access, random.Random(1)))
        kubeconfig = proxy.kubeconfig(stage.log.with_name("proxied"))
        stage.play(lambda _name, _turn: Ending(0, DELIVERED, RUN_SECONDS))
        with stage.running(kubeconfig=kubeconfig, settings=limited):
            stage.apply(f"job-{number:05d}" for number in range(count))
            witness = stage.witness
            wait_until(
                "all have a status",
                lambda: len(witness.status_seen) == count,
                timeout=60 + SECONDS_EACH * count,
            )
            ended = witness.finished()
            wait_until("one ends", lambda: witness.finished() > ended, timeout=120)
            before = proxy.asked[STATUS]
            # A resync of everybody, and more than one end, lie between.
            wait_until("three more end", lambda: witness.finished() >= ended + 4, timeout=300)
            writes = (proxy.asked[STATUS] - before) / 3
    return Figure(
        "queue_writes_per_end.statuses", writes, "writes",
        note=f"{count} jobs, one active at a time, each running {RUN_SECONDS:.0f} s; resync every "
        "15 s; the ended and the next job's own writes are among them",
    )  # fmt: skip


def blocked(count: int) -> Figure:
    """How long /healthz waits for its turn while jobs arrive under a limit."""
    (port,) = free_ports(1)
    limited = SETTINGS | {"OPERATOR_MAX_ACTIVE_JOBS": "10", "OPERATOR_HTTP_PORT": str(port)}
    with (
        operator_stage() as stage,
        stage.running(settings=limited),
        probing(f"http://127.0.0.1:{port}/healthz") as waits,
    ):
        stage.apply(f"job-{number:05d}" for number in range(count))
        wait_until(
            "all have a status",
            lambda: len(stage.witness.status_seen) == count,
            timeout=60 + SECONDS_EACH * count,
        )
    return Figure(
        "event_loop_block_ms.p99", 1000 * percentile(waits, 99), "ms",
        note=f"answers of /healthz every 50 ms while {count} jobs arrive with maxActiveJobs 10 "
        f"({len(waits)} probes); at most {1000 * max(waits):.0f} ms",
    )  # fmt: skip


@contextmanager
def probing(url: str) -> Iterator[list[float]]:
    """Seconds that each probe took, from now until the block ends."""
    waits: list[float] = []

    def probe() -> None:
        began = time.monotonic()
        with urllib.request.urlopen(url, timeout=60) as answer:
            answer.read()
        waits.append(time.monotonic() - began)

    with every(0.05, probe):
        yield waits
