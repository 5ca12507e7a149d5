"""The chart's network policies, enforced: what they are for gets through, and nothing else."""

import json
import socket
from collections.abc import Iterator

import pytest

from dev.cluster import CONTROL_PLANE, NODES
from dev.commands import run, wait_until
from dev.controlplane import SERVICE_CIDR
from dev.kubectl import Kubectl
from dev.network import HOST
from dev.operator_release import CHART, NAMESPACE, RELEASE
from dev.paths import BIN, DEV
from tests.e2e.conftest import ClusterStage
from tests.e2e.release import Release
from transcription_contract.metric_names import METRICS_PORT

API_SERVER = (HOST, 6443)
STORE = ("store.store.svc", 9000)

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


@pytest.fixture
def enforced() -> Iterator[None]:
    """A kube-router on each node, which does nothing but enforce network policies."""
    names = {node: f"kube-router-{node.index}" for node in NODES}
    before = {node: run(node.place.inside("iptables-save", "-t", "filter")) for node in NODES}
    for node, name in names.items():
        firewall = [
            *(BIN / "kube-router", "--run-router=false", "--run-service-proxy=false"),
            *("--run-firewall", "--service-cluster-ip-range", SERVICE_CIDR, "--health-port=0"),
            *("--kubeconfig", CONTROL_PLANE.kubeconfig, "--hostname-override", node.name),
        ]
        node.processes.start(name, node.place.inside(*firewall))
    yield
    for node, name in names.items():
        node.processes.stop(name)
        # Not by its own --cleanup-config, which crashes where it was no service proxy.
        run(node.place.inside("iptables-restore"), stdin=before[node])
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
    stage.apply_recording("steady")
    pod = stage.await_pod()
    stage.await_status("steady", timeout=120, phase="Running")
    (worker,) = stage.pods()
    metrics = (worker["status"]["podIP"], METRICS_PORT)

    wait_until("strangers are kept out", lambda: not answers(metrics), timeout=60)
    assert reaches(kubectl, pod, stage.namespace, STORE)
    assert not reaches(kubectl, pod, stage.namespace, API_SERVER)
    operator = f"deployment/{RELEASE}"
    assert reaches(kubectl, operator, NAMESPACE, API_SERVER)
    assert reaches(kubectl, operator, NAMESPACE, metrics)
    assert not reaches(kubectl, operator, NAMESPACE, STORE)

    seen = stage.follow("steady")
    assert seen[-1]["phase"] == "Succeeded", seen[-1]["message"]
    assert any(0 < status.get("progress", {}).get("percent", 0) < 100 for status in seen)
