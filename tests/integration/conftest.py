"""A real API server without nodes: the tests play the kubelet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.controlplane import ControlPlane
from tests.api import Api
from tests.integration.operator.process import NAMESPACE, Operator, install_chart
from tests.integration.plane import running_plane
from tests.stage import new_namespace


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with running_plane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def api(control_plane: ControlPlane) -> Api:
    return Api(control_plane.kubeconfig)


@pytest.fixture(scope="session")
def operator_kubeconfig(control_plane: ControlPlane, tmp_path_factory) -> Path:
    """Credentials with just the rights that the chart grants."""
    return install_chart(control_plane.kubectl, tmp_path_factory.mktemp("operator"))


@pytest.fixture
def namespace(api: Api) -> str:
    return new_namespace(api, "test-")


@pytest.fixture
def stopped_operator(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log")
    yield operator
    operator.kill()


@pytest.fixture
def operator(stopped_operator: Operator) -> Operator:
    stopped_operator.start()
    return stopped_operator


@pytest.fixture
def leader(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    """An operator with a lease, as the chart starts it."""
    elected = {"OPERATOR_LEASE_NAMESPACE": NAMESPACE}
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **elected)
    operator.start()
    yield operator
    operator.kill()
