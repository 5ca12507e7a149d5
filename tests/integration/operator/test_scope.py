"""Which jobs an operator runs: by their class, and by the labels of their namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.api import Api
from tests.integration.operator.process import NAMESPACE, RELEASE, Operator
from tests.stage import Stage, new_namespace

RBAC = "rbac.authorization.k8s.io"


@pytest.fixture
def stage(api: Api, namespace: str) -> Stage:
    return Stage(api, namespace)


@pytest.fixture
def of_research(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(operator_kubeconfig, tmp_path / "log", OPERATOR_CLASS_NAME="research")
    operator.start()
    yield operator
    operator.kill()


def test_an_operator_runs_the_jobs_of_its_class_and_leaves_the_others_alone(
    of_research: Operator, stage: Stage
):
    stage.apply(name="of-nobody")
    stage.apply(name="of-press", operatorClassName="press")
    stage.apply(name="of-research", operatorClassName="research")
    stage.await_status("of-research", phase="Pending")
    assert len(stage.jobs()) == 1
    for name in ("of-nobody", "of-press"):
        assert stage.status(name) == {"observedGeneration": -1}


@pytest.fixture
def lists_namespaces(api: Api) -> Iterator[None]:
    """The right that the chart grants with a selector."""
    rule = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}
    role = {"metadata": {"name": "lists-namespaces"}, "rules": [rule]}
    binding = {
        "metadata": {"name": "lists-namespaces"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "lists-namespaces"},
        "subjects": [{"kind": "ServiceAccount", "name": RELEASE, "namespace": NAMESPACE}],
    }
    made = {"clusterroles": role, "clusterrolebindings": binding}
    for plural, body in made.items():
        api.create(f"/apis/{RBAC}/v1/{plural}", body)
    yield
    for plural in made:
        api.delete(f"/apis/{RBAC}/v1/{plural}/lists-namespaces")


@pytest.fixture
def by_label(
    operator_kubeconfig: Path, tmp_path: Path, lists_namespaces: None
) -> Iterator[Operator]:
    operator = Operator(
        operator_kubeconfig, tmp_path / "log", OPERATOR_WATCH_NAMESPACE_SELECTOR="transcribe=here"
    )
    operator.start()
    yield operator
    operator.kill()


def label(api: Api, namespace: str, value: str | None) -> None:
    body = {"metadata": {"labels": {"transcribe": value}}}
    api.merge(f"/api/v1/namespaces/{namespace}", body)


def test_a_namespace_is_watched_for_as_long_as_its_labels_match(by_label: Operator, api: Api):
    stage = Stage(api, new_namespace(api, "labelled-"))
    stage.apply(name="before")
    label(api, stage.namespace, "here")
    stage.await_status("before", phase="Pending")
    label(api, stage.namespace, None)
    wait_until("it is left", lambda: "is no longer watched" in by_label.latest_log, timeout=20)
    stage.apply(name="after")
    label(api, stage.namespace, "here")
    stage.await_status("after", phase="Pending")
    assert len(stage.jobs()) == 2
