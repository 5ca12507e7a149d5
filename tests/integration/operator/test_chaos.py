"""What the operator lives with: its own death, an API server that is away, requests that fail and
watches that are cut or fall silent. No TranscriptionJob is lost, none has two Jobs, and each ends
with the right status.

Run in a small size with the other tests; `make chaos` does it in full and writes what it counted
into docs/benchmarks.json.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from dev.paths import ROOT
from tests.api import Api
from tests.benchmarks import report
from tests.benchmarks.report import Figure
from tests.integration.operator.company import Company
from tests.integration.operator.fault_proxy import FaultProxy, Faults
from tests.integration.operator.process import READY, Operator
from tests.integration.operator.wire import Access, Background

pytestmark = pytest.mark.chaos

FULL = "CHAOS" in os.environ
KILLS, KILLED_JOBS = (50, 500) if FULL else (5, 25)
AWAY_SECONDS, AWAY_JOBS = (900.0, 200) if FULL else (10.0, 20)
"""Longer than the lease lasts, so that the leader ends and another process follows."""

REFUSED_SECONDS = 60.0 if FULL else 5.0
FAULTY_JOBS = 300 if FULL else 24
PATIENCE_SECONDS = 1800.0 if FULL else 120.0

LATEST_SECONDS = 4.0
"""An operator that starts imports for a second or two; then it has a few seconds of work."""

Record = Callable[[str, Company, list[Figure]], None]


@pytest.fixture
def company(api: Api, control_plane: ControlPlane, namespace: str) -> Iterator[Company]:
    with Company.gather(api, control_plane.kubeconfig, namespace) as company:
        yield company


@pytest.fixture
def record() -> Record:
    """Judge; in full, write the figures down before."""
    began = time.monotonic()

    def close(name: str, company: Company, counts: list[Figure]) -> None:
        verdict = company.verdict()
        judged = {
            "jobs": len(company.names),
            "jobs lost": len(verdict.lost),
            "jobs doubled": len(verdict.doubled),
            "wrong ends": len(verdict.wrong),
            "needless pods": len(verdict.repeated),
        }
        figures = [
            *counts,
            *(Figure(f"{name}.{what}", count, "") for what, count in judged.items()),
            Figure(f"{name}.wall", time.monotonic() - began, "s"),
        ]
        for figure in figures:
            print(report.row(figure))
        if FULL:
            docs = ROOT / "docs"
            report.save(docs, report.merged(report.load(docs), figures))
        assert not verdict.complaints

    return close


def wait_for(seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Until a moment has come."""
    until = time.monotonic() + seconds

    def has_come() -> bool:
        meanwhile()
        return time.monotonic() >= until

    wait_until("the moment has come", has_come, timeout=seconds + 60)


def test_an_operator_killed_again_and_again_loses_nothing_and_doubles_nothing(
    stopped_operator: Operator, company: Company, record: Record
):
    """Every other time it may first come to watch; else it may die at its first steps. Half of the
    jobs are there when it starts, and the others come right before its death."""
    chance = random.Random(1)
    watched, each = 0, KILLED_JOBS // KILLS
    for kill in range(KILLS):
        company.apply(*["done"] * (each // 2))
        stopped_operator.start(ready=bool(kill % 2))
        wait_for(chance.uniform(0.0, LATEST_SECONDS))
        company.apply(*["done"] * (each - each // 2))
        watched += READY in stopped_operator.latest_log
        stopped_operator.kill()
        company.check()
    stopped_operator.start()
    company.await_end(PATIENCE_SECONDS)
    name = "chaos_operator_kills"
    note = f"SIGKILL up to {LATEST_SECONDS:g} s after its start or its first watch"
    record(
        name,
        company,
        [
            Figure(f"{name}.kills", KILLS, "", note=note),
            Figure(f"{name}.kills while it watched", watched, ""),
        ],
    )


def test_jobs_outlive_an_api_server_that_is_away(
    leader: Operator, company: Company, control_plane: ControlPlane, record: Record
):
    company.apply(*["done"] * (AWAY_JOBS // 2))
    wait_until("some have ended", lambda: company.witness.finished() >= AWAY_JOBS // 8, timeout=60)
    before, restarts = company.witness.finished(), Restarts(leader)
    with api_server_away(control_plane):
        wait_for(AWAY_SECONDS, meanwhile=restarts.look)
    company.apply(*["done"] * (AWAY_JOBS // 2))
    company.await_end(PATIENCE_SECONDS, meanwhile=restarts.look)
    name, note = "chaos_api_server_away", "kube-apiserver ended and started again"
    record(
        name,
        company,
        [
            Figure(f"{name}.away", AWAY_SECONDS, "s", note=note),
            Figure(f"{name}.jobs unfinished at its end", AWAY_JOBS // 2 - before, ""),
            Figure(f"{name}.operator restarts", restarts.count, ""),
        ],
    )
    # A leader that cannot renew its lease ends, once; the next process waits for the API server.
    assert restarts.count <= 1


def test_failing_requests_and_dying_watches_lose_nothing_and_double_nothing(
    operator_kubeconfig: Path, tmp_path: Path, company: Company, record: Record
):
    with Background() as background:
        access = Access.read(operator_kubeconfig)
        proxy = background.enter(FaultProxy.open(access, random.Random(3)))
        proxy.faults = Faults(
            every=10, cut=(1.0, 10.0), stall=(1.0, 10.0), stalls=0.3 if FULL else 0.0
        )
        operator = Operator(proxy.kubeconfig(tmp_path / "proxied"), tmp_path / "operator.log")
        restarts = Restarts(operator)
        operator.start()
        chance = random.Random(4)
        for _ in range(FAULTY_JOBS // 12):
            company.apply(*chance.sample(["done", "bad", "again"] * 4, 12))
            wait_for(chance.uniform(0.0, 3.0), meanwhile=restarts.look)
        # An operator that cannot reach anybody for a while, and everybody else can.
        proxy.faults.refusing = True
        company.apply("done", "bad", "again")
        wait_for(REFUSED_SECONDS, meanwhile=restarts.look)
        proxy.faults.refusing = False
        company.await_end(PATIENCE_SECONDS, meanwhile=restarts.look)
        operator.kill()
        injected = dict(sorted(proxy.injected.items()))
    name = "chaos_faults"
    figures = [Figure(f"{name}.{kind}", count, "") for kind, count in injected.items()]
    figures.append(Figure(f"{name}.operator restarts", restarts.count, ""))
    record(name, company, figures)


@contextmanager
def api_server_away(plane: ControlPlane) -> Iterator[None]:
    """etcd and the controllers stay."""
    plane.processes.stop("kube-apiserver")
    try:
        yield
    finally:
        plane.processes.start("kube-apiserver", plane._apiserver())
        ready = ("get", "--raw", "/readyz")
        wait_until("it answers", lambda: plane.kubectl.succeeds(*ready), timeout=90)


class Restarts:
    """Start an operator that has ended anew, as the kubelet would, and count."""

    def __init__(self, operator: Operator) -> None:
        self.count = 0
        self._operator = operator

    def look(self) -> None:
        if self._operator.pid is None:
            self.count += 1
            self._operator.start(ready=False)
