import pytest

from tests.api import Api
from tests.stage import Stage


@pytest.fixture
def stage(api: Api, namespace: str, operator_kubeconfig) -> Stage:
    return Stage(api, namespace)


def test_kubectl_shows_the_columns_and_the_short_name(stage: Stage, control_plane):
    stage.apply()
    kubectl = control_plane.kubectl
    header = kubectl("get", "tj", "-n", stage.namespace).splitlines()[0].split()
    assert header == ["NAME", "PHASE", "PROGRESS", "MODEL", "LANGUAGE", "AGE"]


def test_kubectl_explains_every_field_of_the_spec(stage: Stage, control_plane):
    text = control_plane.kubectl("explain", "tj.spec", "--recursive")
    assert "pendingDeadlineSeconds" in text
    flat = control_plane.kubectl("explain", "tj.spec")
    assert "<no description>" not in flat
    assert "Recordings to transcribe" in flat
