"""doctor: each of its findings, provoked and found, with the command that mends it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from tests.api import Api, Json, core
from tests.integration.kubectl_transcribe.doctor import is_wrong, look
from tests.integration.kubectl_transcribe.installation import (
    BINDINGS,
    POLICIES,
    operator_deployment,
    operators_pods,
    served,
)
from tests.integration.kubectl_transcribe.kubelet import waiting_pod
from tests.integration.kubectl_transcribe.plugin import (
    Plugin,
    UserStage,
    kubeconfig_of_user,
)
from tests.integration.operator.process import NAMESPACE as OPERATORS
from tests.integration.transcriber.conftest import free_port


@pytest.fixture
def healthy(stage: UserStage, api: Api) -> Iterator[UserStage]:
    with operator_deployment(api, ready=True):
        yield stage


def test_all_is_well_is_exit_code_0(healthy: UserStage, plugin: Plugin):
    source, output = {"uri": "s3://media/a.mp3"}, {"uri": "s3://out/a/"}
    healthy.apply(source=source, output=output)
    code, found = look(plugin)
    assert code == 0, found
    assert {each["about"] for each in found if each["level"] == "ok"} == {
        "API server", "CRD", "operator", "node pools", "Secret", "object store", "bucket", "images",
        "jobs",
    }  # fmt: skip
    assert [f["message"] for f in found if f["about"] == "bucket"] == [
        "media is there",
        "out is there",
    ]


def test_it_is_told_a_line_each_with_the_command_below(stage: UserStage, plugin: Plugin):
    ended = plugin("doctor")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert lines[0].startswith("ok     API server: answers (v1.")
    at = lines.index("WRONG  operator: no operator is installed in the cluster")
    assert lines[at + 1].startswith("       mend it: helm install transcription-operator ")


def test_an_api_server_that_does_not_answer(
    plugin: Plugin, control_plane: ControlPlane, tmp_path: Path
):
    config = yaml.safe_load(control_plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    path = tmp_path / "deaf"
    path.write_text(yaml.safe_dump(config))
    deaf = Plugin(path, plugin.namespace, plugin.home)
    is_wrong(deaf, "API server", "does not answer", "kubectl cluster-info")


def test_a_crd_that_is_not_there(stage: UserStage, plugin: Plugin, api: Api):
    with served(api, v1alpha1=False):
        is_wrong(plugin, "CRD", "knows no TranscriptionJobs", "helm install")
        ended = plugin("get")
    assert ended.code == 3
    assert "the cluster has no TranscriptionJobs of v1alpha1: install the operator" in ended.err


def test_a_crd_of_another_version(stage: UserStage, plugin: Plugin, api: Api):
    with served(api, v1alpha1=False, v1beta1=True):
        is_wrong(plugin, "CRD", "serves v1beta1", "pip install --upgrade")


def test_no_operator(stage: UserStage, plugin: Plugin):
    is_wrong(plugin, "operator", "no operator is installed", "helm install")


def test_an_operator_that_is_not_ready(stage: UserStage, plugin: Plugin, api: Api):
    with operator_deployment(api, ready=False):
        is_wrong(plugin, "operator", "has no pod that is ready", "kubectl logs deployment/operator")


def test_an_operator_that_looks_elsewhere(stage: UserStage, plugin: Plugin, api: Api):
    with operator_deployment(api, ready=True, OPERATOR_WATCH_NAMESPACES='["team-a"]'):
        is_wrong(plugin, "operator", "watches only the namespaces team-a", "watchNamespaces=")


def test_a_pool_without_a_node_is_a_note(healthy: UserStage, plugin: Plugin, api: Api):
    _, found = look(plugin)
    notes = [f["message"] for f in found if f["level"] == "note"]
    assert any("no node fits pool test (1 nvidia.com/gpu)" in each for each in notes)
    node = f"gpu-{healthy.namespace}"
    api.create("/api/v1/nodes", {"metadata": {"name": node}})
    amounts = {"nvidia.com/gpu": "1"}
    api.merge(
        f"/api/v1/nodes/{node}/status", {"status": {"capacity": amounts, "allocatable": amounts}}
    )
    try:
        _, found = look(plugin)
        pools = [each for each in found if each["about"] == "node pools"]
        assert {each["level"] for each in pools} == {"ok"}
        assert pools[-1]["message"] == "every pool has nodes that fit"
    finally:
        api.delete(f"/api/v1/nodes/{node}")


def test_the_pools_that_there_are_come_from_the_policy(stage: UserStage, plugin: Plugin):
    wait_until_found(plugin, lambda f: f["message"].endswith("the pools are: cpu, test"))


def wait_until_found(plugin: Plugin, holds: Callable[[dict[str, str]], bool]) -> None:
    """The API server takes a moment until it obeys a policy, or forgets one."""
    wait_until("doctor finds it", lambda: any(map(holds, look(plugin)[1])), timeout=60)


def test_a_policy_that_is_missing_is_a_note(stage: UserStage, plugin: Plugin, api: Api):
    bindings = api.items(BINDINGS)
    (binding,) = (each for each in bindings if each["metadata"]["name"].endswith("-node-pools"))
    api.delete(f"{BINDINGS}/{binding['metadata']['name']}")
    try:
        wait_until_found(
            plugin,
            lambda f: f["level"] == "note" and "nodePoolPolicy.enabled=true" in f["mend"],
        )
    finally:
        binding["metadata"] = {"name": binding["metadata"]["name"]}
        api.create(BINDINGS, binding)
        wait_until_found(plugin, lambda f: "the pools are: cpu, test" in f["message"])


@contextmanager
def refused_by_policy(api: Api, namespace: str) -> Iterator[None]:
    rule = {"apiGroups": ["transcription.dev"], "apiVersions": ["*"], "operations": ["CREATE"],
            "resources": ["transcriptionjobs"]}  # fmt: skip
    policy = {
        "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "false", "message": "not on Fridays"}],
        },
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "metadata": {"name": namespace},
        "spec": {
            "policyName": namespace,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": here},
        },
    }
    api.create(POLICIES, policy)
    api.create(BINDINGS, binding)
    try:
        yield
    finally:
        api.delete(f"{BINDINGS}/{namespace}")
        api.delete(f"{POLICIES}/{namespace}")


def test_a_cluster_that_refuses_every_job(healthy: UserStage, plugin: Plugin, api: Api):
    with refused_by_policy(api, healthy.namespace):
        wait_until_found(
            plugin, lambda f: f["level"] == "wrong" and "not on Fridays" in f["message"]
        )


def test_a_namespace_that_is_not_there(
    stage: UserStage, control_plane: ControlPlane, tmp_path: Path
):
    nowhere = Plugin(control_plane.kubeconfig, "nowhere", tmp_path)
    is_wrong(
        nowhere, "namespace", "there is no namespace nowhere", "kubectl create namespace nowhere"
    )


def test_who_has_no_rights_is_told_what_could_not_be_seen(
    stage: UserStage, control_plane: ControlPlane, tmp_path: Path
):
    config = kubeconfig_of_user(control_plane.kubectl, stage.namespace, tmp_path)
    user = Plugin(config, stage.namespace, tmp_path)
    is_wrong(user, "rights", "cannot create resource", "kubectl create rolebinding")
    _, found = look(user)
    notes = {each["about"] for each in found if each["level"] == "note"}
    assert notes == {"operator", "node pools", "Secret", "object store", "images", "jobs"}


def test_a_quota_that_is_used_up_is_no_lack_of_rights(stage: UserStage, plugin: Plugin, api: Api):
    hard = {"count/transcriptionjobs.transcription.dev": "0"}
    body = {"metadata": {"name": "none"}, "spec": {"hard": hard}}
    api.create(core(stage.namespace, "resourcequotas"), body)
    status = {"status": {"hard": hard, "used": hard}}
    api.merge(f"{core(stage.namespace, 'resourcequotas')}/none/status", status)
    wait_until_found(plugin, lambda f: f["about"] == "quota" and "exceeded quota" in f["message"])
    is_wrong(plugin, "quota", "exceeded quota", "kubectl describe resourcequota")


def test_an_image_that_cannot_be_pulled(stage: UserStage, plugin: Plugin, api: Api):
    labels = {"transcription.dev/job-uid": stage.apply()["metadata"]["uid"]}
    api.create(core(stage.namespace, "pods"), waiting_pod("w-0", labels))
    api.merge(f"{core(stage.namespace, 'pods')}/w-0/status", {"status": cannot_be_pulled()})
    is_wrong(plugin, "images", "registry.example/x:1 cannot be pulled: no such host",
             "transcriber.image.repository=")  # fmt: skip


def test_the_operators_own_image_that_cannot_be_pulled(stage: UserStage, plugin: Plugin, api: Api):
    with operator_deployment(api, ready=False):
        wait_until("its pod", lambda: bool(operators_pods(api)), timeout=30)
        name = operators_pods(api)[0]["metadata"]["name"]
        api.merge(f"{core(OPERATORS, 'pods')}/{name}/status", {"status": cannot_be_pulled()})
        is_wrong(plugin, "operator", "has no pod that is ready", "kubectl describe pods")
        is_wrong(plugin, "images", "the operator's image registry.example/x:1 cannot be pulled",
                 "operator.image.repository=")  # fmt: skip


def test_jobs_that_wait_and_jobs_that_failed_are_named(
    healthy: UserStage, plugin: Plugin, api: Api
):
    healthy.apply(name="stuck")
    healthy.set_status("stuck", phase="Pending", reason="JobRefused", message="quantities must")
    healthy.apply(name="bad")
    healthy.set_status("bad", phase="Failed", reason="ModelNotFound", message="no model lrage")
    is_wrong(plugin, "jobs", "stuck waits (JobRefused): quantities must", "kubectl describe tj")
    _, found = look(plugin)
    notes = [each["message"] for each in found if each["level"] == "note"]
    assert "bad failed (ModelNotFound): no model lrage" in notes


def cannot_be_pulled() -> Json:
    waiting = {"reason": "ImagePullBackOff", "message": "no such host"}
    return {
        "phase": "Pending",
        "containerStatuses": [
            {
                "name": "transcriber",
                "image": "registry.example/x:1",
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": {"waiting": waiting},
            }
        ],
    }
