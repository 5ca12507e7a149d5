"""A control plane of its own for each measurement, the operator or its peer, and played pods.

etcd, kube-apiserver, kube-controller-manager (allowed 500 requests a second) and this process
share the machine's cores; the operator is held to one of them.
"""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dev import gotools
from dev.commands import wait_until
from tests.api import Api, transcription_jobs
from tests.integration.operator.playing import PlayingKubelet, Script
from tests.integration.operator.process import READY, Operator, install_chart
from tests.integration.operator.wire import Background, Wire
from tests.integration.operator.witness import Witness
from tests.integration.plane import running_plane
from tests.stage import example, new_namespace

AT_ONCE = 32
"""Requests under way of a client that applies as fast as it can."""

SETTINGS = {
    # The operator's own limit would be all that is measured.
    "OPERATOR_API_QPS": "1000",
    "OPERATOR_API_BURST": "2000",
    "OPERATOR_PROGRESS_INTERVAL_SECONDS": "5",
}
SHARED = "etcd, API server, controllers, operator and measurement share {threads} cores"


class Peer(Operator):
    """The reference; see operator_peer."""

    module = "tests.benchmarks.operator_peer"


@dataclass(frozen=True)
class OperatorStage:
    """One namespace of a fresh control plane; ``credentials`` are the operator's, ``api`` is the
    administrator's."""

    api: Api
    background: Background
    wire: Wire
    witness: Witness
    namespace: str
    credentials: Path
    log: Path

    @contextmanager
    def running(
        self,
        contender: type[Operator] = Operator,
        kubeconfig: Path | None = None,
        settings: Mapping[str, str] = SETTINGS,
    ) -> Iterator[Operator]:
        """An operator on one core, from when it watches on."""
        operator = contender(kubeconfig or self.credentials, self.log, **settings)
        try:
            operator.start(ready=False)
            assert operator.pid is not None
            # It has no threads yet, which would keep theirs.
            os.sched_setaffinity(operator.pid, {max(os.sched_getaffinity(0))})
            wait_until("the operator watches", lambda: READY in operator.latest_log, timeout=60)
            yield operator
        finally:
            operator.kill()

    def play(self, script: Script) -> PlayingKubelet:
        """Have the pods played from now on."""
        kubelet = PlayingKubelet(self.wire, self.namespace, script)
        self.background.start(kubelet.run())
        return kubelet

    def apply(self, names: Iterable[str], namespace: str | None = None) -> None:
        """TranscriptionJobs of these names, as fast as the API server takes them."""
        self.background.wait(in_parallel(lambda name: self.apply_one(name, namespace), names))

    async def apply_one(self, name: str, namespace: str | None = None) -> None:
        """One of them."""
        where = transcription_jobs(namespace or self.namespace)
        await self.wire.create(where, example(name))


@contextmanager
def operator_stage() -> Iterator[OperatorStage]:
    """Start it all but the operator, and end it all."""
    gotools.build_all()
    with (
        TemporaryDirectory(prefix="bench-operator-") as folder,
        Background() as background,
        running_plane(Path(folder) / "plane") as plane,
    ):
        credentials = install_chart(plane.kubectl, Path(folder))
        api = Api(plane.kubeconfig)
        namespace = new_namespace(api, "bench-")
        wire = background.enter(Wire.open(plane.kubeconfig))
        witness = Witness(wire, namespace)
        background.start(witness.run())
        log = Path(folder) / "operator.log"
        yield OperatorStage(api, background, wire, witness, namespace, credentials, log)


async def in_parallel(do: Callable[[str], Awaitable[None]], names: Iterable[str]) -> None:
    """For each name, so many at once."""
    todo = iter(names)

    async def work() -> None:
        for name in todo:
            await do(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc_pid_stat(5): fields 14 and 15)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def upto(most: float) -> list[int]:
    """100, 1000, and so many."""
    return [*(count for count in (100, 1000) if count < most), int(most)]


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
