"""fairness_start_seconds and refused_requests_per_second: what refused jobs of one namespace cost
the others, and the API server.

With the chart's own pace of requests. A quota forbids Jobs, or a webhook that never answers stands
before them, in one namespace; then a job is applied in another one.
"""

import random
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import OperatorStage, operator_stage
from tests.benchmarks.report import Figure
from tests.integration.operator.fault_proxy import FaultProxy
from tests.integration.operator.wire import Access
from tests.integration.operator.witness import Witness
from tests.stage import new_namespace

ROUNDS = 5
"""Jobs in the other namespace, one after the other; the slowest counts."""

LONGEST_SECONDS = 600.0
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def run(bench: Bench) -> Iterable[Figure]:
    """A quota, and then a webhook; the requests are counted at the quota."""
    sizes = bench.sizes
    yield from refused_by_quota(int(sizes.operator_refused), sizes.operator_settling_seconds)
    yield behind_a_webhook(int(sizes.operator_hanging))


def refused_by_quota(count: int, settling: float) -> Iterator[Figure]:
    """Jobs that a quota refuses; ``settling``: seconds until their requests are counted."""
    with operator_stage() as stage:
        forbid_jobs(stage)
        access = Access.read(stage.credentials)
        proxy = stage.background.enter(FaultProxy.open(access, random.Random(1)))
        kubeconfig = proxy.kubeconfig(stage.log.with_name("proxied"))
        with stage.running(kubeconfig=kubeconfig, settings={}):
            stage.apply(f"refused-{number:05d}" for number in range(count))
            yield start_elsewhere(stage, "refused", f"{count} jobs refused by a quota")
            yield requests_kept_up(stage, proxy, count, settling)


def behind_a_webhook(count: int) -> Figure:
    """Jobs whose creation waits for a webhook that accepts connections and says nothing."""
    with operator_stage() as stage, silent_port() as port:
        stand_before_jobs(stage, port)
        with stage.running(settings={}):
            stage.apply(f"hanging-{number:05d}" for number in range(count))
            return start_elsewhere(
                stage, "hanging", f"{count} jobs behind a webhook that does not answer"
            )


def start_elsewhere(stage: OperatorStage, name: str, note: str) -> Figure:
    """Seconds from apply to the Job, in a namespace of its own; the slowest of some."""
    other = new_namespace(stage.api, "other-")
    witness = Witness(stage.wire, other)
    stage.background.start(witness.run())
    taken = [_start(stage, witness, other, f"new-{number}") for number in range(ROUNDS)]
    return Figure(
        f"fairness_start_seconds.{name}", max(taken), "s",
        note=f"{note} in one namespace; {ROUNDS} new jobs of another one, the slowest",
    )  # fmt: skip


def _start(stage: OperatorStage, witness: Witness, namespace: str, name: str) -> float:
    began = time.monotonic()
    stage.apply([name], namespace)
    _wait("a job of another namespace", lambda: name in witness.job_seen)
    return witness.job_seen[name] - began


def requests_kept_up(
    stage: OperatorStage, proxy: FaultProxy, count: int, settling: float
) -> Figure:
    """Requests a second once all have been refused for a while."""
    _wait("every job is refused", lambda: _refused(stage.witness) == count)
    settled = time.monotonic() + settling
    wait_until("back-offs have grown", lambda: time.monotonic() > settled, timeout=settling + 10)
    window, before = 60.0, _without_leases(proxy)
    end = time.monotonic() + window
    wait_until("a minute is over", lambda: time.monotonic() > end, timeout=window + 10)
    rate = (_without_leases(proxy) - before) / window
    return Figure(
        "refused_requests_per_second.quota", rate, "requests/s",
        note=f"{count} refused jobs, {settling:.0f} s after the last was refused for the first "
        "time; leases and watches do not count",
    )  # fmt: skip


def forbid_jobs(stage: OperatorStage) -> None:
    """A quota of no Jobs."""
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    path = f"/api/v1/namespaces/{stage.namespace}/resourcequotas"
    stage.api.create(path, quota)
    wait_until(
        "the quota is counted",
        lambda: bool((stage.api.get(f"{path}/none") or {}).get("status", {}).get("hard")),
        timeout=60,
    )


def stand_before_jobs(stage: OperatorStage, port: int) -> None:
    """A webhook for the Jobs of the stage's namespace."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}}
    webhook = {
        "name": "silent.example.com",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/"},
        "rules": [
            {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"],
             "resources": ["jobs"]}
        ],
        "namespaceSelector": selector,
        "timeoutSeconds": 10,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }  # fmt: skip
    stage.api.create(WEBHOOKS, {"metadata": {"name": "silent"}, "webhooks": [webhook]})


@contextmanager
def silent_port() -> Iterator[int]:
    """A port where connections are made and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield server.getsockname()[1]


def _refused(witness: Witness) -> int:
    return sum(1 for _, reason in list(witness.statuses.values()) if reason == "JobRefused")


def _without_leases(proxy: FaultProxy) -> int:
    return sum(
        times
        for (verb, resource), times in list(proxy.asked.items())
        if verb != "watch" and resource != "leases"
    )


def _wait(what: str, condition: Callable[[], bool]) -> None:
    wait_until(what, condition, timeout=LONGEST_SECONDS)
