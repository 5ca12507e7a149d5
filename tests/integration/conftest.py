"""A real API server without nodes: the tests play the kubelet."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from tests.api import Api
from tests.integration.operator.process import Operator, install_chart


def _free_ports() -> tuple[int, int]:
    """A port for etcd, whose neighbour is free too, and one for the API server."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        etcd, api = first.getsockname()[1], second.getsockname()[1]
    return (etcd, api) if abs(etcd - api) > 1 else _free_ports()


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    etcd, api = _free_ports()
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_port=etcd, api_port=api)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def api(control_plane: ControlPlane) -> Api:
    return Api(control_plane.kubeconfig)


@pytest.fixture(scope="session")
def operator_kubeconfig(control_plane: ControlPlane, tmp_path_factory) -> Path:
    """Credentials with just the rights that the chart grants."""
    return install_chart(control_plane.kubectl, tmp_path_factory.mktemp("operator"))


@pytest.fixture
def namespace(api: Api) -> str:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"generateName": "test-", "labels": labels}}
    name: str = api.create("/api/v1/namespaces", body)["metadata"]["name"]
    # A pod cannot be made before its service account is there.
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    wait_until("the default service account", lambda: api.get(account) is not None, timeout=30)
    return name


@pytest.fixture
def stopped_operator(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log")
    yield operator
    operator.kill()


@pytest.fixture
def operator(stopped_operator: Operator) -> Operator:
    stopped_operator.start()
    return stopped_operator
