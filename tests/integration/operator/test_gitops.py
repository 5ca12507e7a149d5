"""No drift: what the operator writes makes no difference to what a GitOps tool applies."""

from typing import Any

import pytest
import yaml

from dev.commands import wait_until
from dev.paths import ROOT
from tests.api import Api, ApiRefusal, Json, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED
from tests.stage import example

TOOL = "kustomize-controller"


@pytest.fixture
def stage(api: Api, namespace: str, operator_kubeconfig) -> PlayedStage:
    return PlayedStage(api, namespace)


def apply(stage: PlayedStage, query: str = "force=true", **spec: Any) -> Json:
    """Server-side apply as the tool does it; the object that comes of it."""
    path = f"{transcription_jobs(stage.namespace)}/standup?fieldManager={TOOL}&{query}"
    return stage.api.request("PATCH", path, example(**spec), "application/apply-patch+yaml")


def makes_no_difference(stage: PlayedStage, **spec: Any) -> bool:
    """Whether the object that another apply would make is the one that is there."""
    return stage.parent() == apply(stage, "force=true&dryRun=All", **spec)


def await_no_difference(stage: PlayedStage, **spec: Any) -> None:
    # Not at once: the operator may write its status between the two requests.
    wait_until("the tool sees no drift", lambda: makes_no_difference(stage, **spec), timeout=10)


def test_from_apply_to_its_end_a_job_never_differs_from_its_manifest(
    operator: Operator, stage: PlayedStage
):
    apply(stage, language="en")
    stage.await_status(phase="Pending", reason="WorkersStarting")
    await_no_difference(stage, language="en")
    pod = stage.await_pod()
    stage.run_pod(pod)
    stage.await_status(phase="Running")
    await_no_difference(stage, language="en")
    stage.end_pod(pod, 0, DELIVERED)
    stage.await_status(phase="Succeeded")
    before, after = stage.parent()["metadata"], apply(stage, language="en")["metadata"]
    assert (after["generation"], after["resourceVersion"]) == (1, before["resourceVersion"])
    owned = {
        (entry.get("subresource"), *entry["fieldsV1"])
        for entry in before["managedFields"]
        if entry["manager"] != TOOL
    }
    assert owned == {("status", "f:status")}


def test_a_change_to_a_finished_job_is_observed_so_that_no_tool_waits_for_ever(
    operator: Operator, stage: PlayedStage
):
    apply(stage)
    pod = stage.await_pod()
    stage.end_pod(pod, 0, DELIVERED)
    stage.await_status(phase="Succeeded", observedGeneration=1)
    apply(stage, ttlSecondsAfterFinished=86400)
    stage.await_status(phase="Succeeded", observedGeneration=2)
    assert len(stage.jobs()) == 1


def test_a_job_that_no_operator_has_seen_is_not_taken_for_a_finished_one(stage: PlayedStage):
    assert apply(stage)["status"] == {"observedGeneration": -1}


def suspend_by_hand(stage: PlayedStage) -> None:
    path = f"{transcription_jobs(stage.namespace)}/standup"
    stage.api.merge(path, {"spec": {"suspend": True}})


def test_a_suspension_by_hand_stands_where_git_does_not_state_it(stage: PlayedStage):
    apply(stage)
    suspend_by_hand(stage)
    assert apply(stage, "force=false")["spec"]["suspend"] is True


def test_a_suspension_by_hand_conflicts_with_one_that_git_states(stage: PlayedStage):
    apply(stage, suspend=False)
    suspend_by_hand(stage)
    with pytest.raises(ApiRefusal, match=r"conflict with .*: \.spec\.suspend") as refusal:
        apply(stage, "force=false", suspend=False)
    assert refusal.value.status == 409
    assert apply(stage, suspend=False)["spec"]["suspend"] is False


def test_a_change_of_what_is_immutable_is_refused_as_invalid_which_flux_may_answer_by_force(
    stage: PlayedStage,
):
    apply(stage)
    with pytest.raises(ApiRefusal, match="model cannot be changed") as refusal:
        apply(stage, model={"name": "tiny"})
    assert refusal.value.status == 422


def test_the_api_server_takes_the_jobs_of_the_example(stage: PlayedStage, control_plane):
    kubectl, folder = control_plane.kubectl, ROOT / "examples" / "gitops" / "jobs"
    rendered = kubectl("kustomize", folder).replace("namespace: media", "")
    kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict"),
        *("-n", stage.namespace, "-f", "-"),
        stdin=rendered,
    )


ODD = {
    "source": {"uri": "s3://recordings/calls/", "include": []},
    "resources": {"requests": {}},
    "limits": {"maxFileBytes": "4096Mi"},
    "podTemplate": {"tolerations": []},
    "backoffLimit": None,
}
EXAMPLES = [
    document
    for path in sorted((ROOT / "examples").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document["kind"] == "TranscriptionJob"
]


@pytest.mark.parametrize("how", ["--server-side=true", "--server-side=false"])
def test_kubectl_diff_finds_nothing_when_the_operator_has_written_its_status(
    operator: Operator, stage: PlayedStage, control_plane, how: str
):
    manifests = {each["metadata"]["name"]: each for each in [example("odd", **ODD), *EXAMPLES]}
    for manifest in manifests.values():
        manifest["metadata"].pop("namespace", None)
        manifest["spec"].pop("nodePool", None)
    applied = yaml.safe_dump_all(manifests.values())
    there = (how, "-n", stage.namespace, "-f", "-")
    control_plane.kubectl("apply", *there, stdin=applied)
    for name in manifests:
        wait_until("it has a phase", lambda name=name: "phase" in stage.status(name), timeout=30)
    assert control_plane.kubectl("diff", *there, stdin=applied) == ""
    assert stage.parent("odd")["spec"]["limits"]["maxFileBytes"] == "4096Mi"
