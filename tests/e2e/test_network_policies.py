"""The chart's network policies, enforced: what they are for gets through, and nothing else."""

import json
import re
import socket
from collections.abc import Iterator

import pytest

from dev.cluster import CONTROL_PLANE, NODES
from dev.commands import run, wait_until
from dev.controlplane import SERVICE_CIDR
from dev.kubectl import Kubectl
from dev.network import HOST
from dev.node import Node
from dev.operator_release import CHART, NAMESPACE, RELEASE
from dev.paths import BIN, DEV
from tests.e2e.conftest import ClusterStage
from tests.e2e.release import Release
from transcription_contract.metric_names import METRICS_PORT

OF_KUBE_ROUTER = re.compile(r"KUBE-(ROUTER|NWPLCY|POD-FW)")
API_SERVER = (HOST, 6443)
STORE = ("store.store.svc", 9000)

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


@pytest.fixture
def enforced() -> Iterator[None]:
    """A kube-router on each node, which does nothing but enforce network policies."""
    for node in NODES:
        # Of a run that was killed.
        _end_firewall(node)
    try:
        for node in NODES:
            firewall = [
                *(BIN / "kube-router", "--run-router=false", "--run-service-proxy=false"),
                *("--run-firewall", "--service-cluster-ip-range", SERVICE_CIDR, "--health-port=0"),
                *("--kubeconfig", CONTROL_PLANE.kubeconfig, "--hostname-override", node.name),
            ]
            node.processes.start(_firewall(node), node.place.inside(*firewall))
        yield
    finally:
        for node in NODES:
            _end_firewall(node)


def _firewall(node: Node) -> str:
    return f"kube-router-{node.index}"


def _end_firewall(node: Node) -> None:
    """Not by its own --cleanup-config, which crashes where it was no service proxy."""
    node.processes.stop(_firewall(node))
    rules = run(node.place.inside("iptables-save", "-t", "filter")).splitlines(keepends=True)
    theirs = [line for line in rules if not OF_KUBE_ROUTER.search(line)]
    run(node.place.inside("iptables-restore"), stdin="".join(theirs))
    run(node.place.inside("ipset", "destroy"))


def reaches(kubectl: Kubectl, pod: str, namespace: str, address: tuple[str, int]) -> bool:
    """Whether a pod can open a connection."""
    command = ("python", "-c", CONNECT, address[0], str(address[1]))
    return kubectl.succeeds("exec", pod, "-n", namespace, "--", *command)


def answers(address: tuple[str, int]) -> bool:
    """Whether this machine, which is no node, can open a connection."""
    try:
        with socket.create_connection(address, timeout=5):
            return True
    except OSError:
        return False


def test_jobs_run_under_the_charts_policies_and_nothing_else_gets_through(
    release: Release, enforced: None, stage: ClusterStage, kubectl: Kubectl
):
    store = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "store"}}}
    policies = {
        "operator": {"enabled": True, "apiServer": {"ports": [6443], "cidrs": [f"{HOST}/32"]}},
        "workers": {
            "enabled": True,
            "namespaces": [stage.namespace],
            "egress": [{"ports": [{"protocol": "TCP", "port": 9000}], "to": [store]}],
        },
    }
    release.upgrade(CHART, DEV / "values.yaml", f"--set-json=networkPolicy={json.dumps(policies)}")
    # With beams it takes long enough for all that is asked meanwhile.
    stage.apply_recording("steady", decoding={"beamSize": 5})
    pod = stage.await_pod()
    stage.await_status("steady", timeout=120, phase="Running")
    (worker,) = stage.pods()
    metrics = (worker["status"]["podIP"], METRICS_PORT)

    def worker_reaches(address: tuple[str, int]) -> bool:
        return reaches(kubectl, pod, stage.namespace, address)

    def operator_reaches(address: tuple[str, int]) -> bool:
        return reaches(kubectl, f"deployment/{RELEASE}", NAMESPACE, address)

    # What is let through comes first: it shows that somebody answers there, and that pods can ask.
    wait_until("the worker's metrics", lambda: operator_reaches(metrics), timeout=60)
    wait_until("no metrics for strangers", lambda: not answers(metrics), timeout=60)
    assert worker_reaches(STORE)
    wait_until("no API server for workers", lambda: not worker_reaches(API_SERVER), timeout=60)
    assert worker_reaches(STORE)
    assert operator_reaches(API_SERVER)
    wait_until("no store for the operator", lambda: not operator_reaches(STORE), timeout=60)
    assert operator_reaches(API_SERVER)

    seen = stage.follow("steady")
    assert seen[-1]["phase"] == "Succeeded", seen[-1]["message"]
    assert any(0 < status.get("progress", {}).get("percent", 0) < 100 for status in seen)
