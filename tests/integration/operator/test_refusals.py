"""What admission refuses is told in its own words within a minute, and the job goes on by itself
when the refusal is lifted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.commands import wait_until
from tests.api import Api, ApiRefusal, Json, core
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
NEED_TEAM = "pods need the label team"


@pytest.fixture
def stage(api: Api, namespace: str) -> PlayedStage:
    return PlayedStage(api, namespace)


def limit_below_the_request(stage: PlayedStage) -> str:
    """A LimitRange; its path."""
    limits = [{"type": "Container", "default": {"cpu": "100m"}, "defaultRequest": {"cpu": "50m"}}]
    path = core(stage.namespace, "limitranges")
    stage.api.create(path, {"metadata": {"name": "low"}, "spec": {"limits": limits}})
    return f"{path}/low"


def labels_wanted(stage: PlayedStage, *resources: str) -> str:
    """A policy of the namespace that wants a label on these; the path of its binding."""
    name = stage.namespace
    rule = {
        "apiGroups": ["", "batch"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        # A ConfigMap shows whether the policy is in force.
        "resources": [*resources, "configmaps"],
    }
    has_team = "has(object.metadata.labels) && 'team' in object.metadata.labels"
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    policy = {
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": only_here},
            "validations": [{"expression": has_team, "message": NEED_TEAM}],
        },
    }
    stage.api.create(POLICIES, policy)
    binding = {"policyName": name, "validationActions": ["Deny"]}
    stage.api.create(BINDINGS, {"metadata": {"name": name}, "spec": binding})
    wait_until("the policy is in force", lambda: refuses_config_maps(stage), timeout=30)
    return f"{BINDINGS}/{name}"


def refuses_config_maps(stage: PlayedStage) -> bool:
    try:
        path = f"{core(stage.namespace, 'configmaps')}?dryRun=All"
        stage.api.create(path, {"metadata": {"name": "any"}})
    except ApiRefusal:
        return True
    return False


@pytest.fixture
def cleaned(stage: PlayedStage) -> Iterator[None]:
    """Without the policies, which do not go with the namespace."""
    yield
    for path in (BINDINGS, POLICIES):
        stage.api.delete(f"{path}/{stage.namespace}")


REFUSALS: list[tuple[str, Callable[[PlayedStage], str], Json, str, str]] = [
    ("a LimitRange", limit_below_the_request, {"resources": {"requests": {"cpu": "1"}}},
     "PodRefused", "must be less than or equal to cpu limit of 100m"),
    ("a policy on pods", lambda stage: labels_wanted(stage, "pods"), {},
     "AdmissionRefused", NEED_TEAM),
    ("a policy on Jobs", lambda stage: labels_wanted(stage, "jobs"), {},
     "JobRefused", NEED_TEAM),
]  # fmt: skip


@pytest.mark.parametrize(
    ("refuse", "spec", "reason", "sentence"),
    [each[1:] for each in REFUSALS],
    ids=[each[0] for each in REFUSALS],
)
def test_a_refusal_is_told_in_its_words_and_the_job_goes_on_when_it_is_lifted(
    operator: Operator, stage: PlayedStage, cleaned: None, refuse, spec: Any, reason, sentence
):
    path = refuse(stage)
    stage.apply(**spec)
    status = stage.await_status(timeout=60, phase="Pending", reason=reason)
    assert sentence in status["message"]
    stage.api.delete(path)
    wait_until("its pod is made", lambda: bool(stage.pods()), timeout=90)
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")


def test_labels_of_the_spec_satisfy_a_policy_on_pods_and_jobs(
    operator_kubeconfig: Path, tmp_path: Path, stage: PlayedStage, cleaned: None
):
    allowed = {"OPERATOR_POD_TEMPLATE": json.dumps({"allowedLabels": ["team"]})}
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **allowed)
    labels_wanted(stage, "pods", "jobs")
    operator.start()
    try:
        stage.apply(name="without")
        stage.await_status("without", timeout=60, phase="Pending", reason="JobRefused")
        stage.apply(name="with", podTemplate={"labels": {"team": "x"}})
        stage.run_pod(stage.await_pod())
        stage.await_status("with", phase="Running")
    finally:
        operator.kill()
