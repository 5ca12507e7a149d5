"""The script of `helm test`, with the rights that the chart gives it; all of it: the e2e tests."""

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from dev.controlplane import ControlPlane
from tests.contract.test_chart import CHART, of_kind, render
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = CHART / "files" / "test" / "transcription.py"
    spec = importlib.util.spec_from_file_location("transcription", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hooks(control_plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """What Helm would make for a test in this namespace; it is there, but for the pod."""
    uri = f"s3://transcripts/{namespace}/"
    documents = render(f"--set=test.uri={uri},test.namespace={namespace},test.nodePool=gpu")
    made = [d for d in documents if "helm.sh/hook" in d["metadata"].get("annotations", {})]
    objects = [document for document in made if document["kind"] != "Pod"]
    control_plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    return made


@pytest.fixture
def account(control_plane: ControlPlane, hooks, namespace: str, tmp_path: Path) -> Path:
    """What the kubelet would mount into the test's pod."""
    (made,) = of_kind(hooks, "ServiceAccount")
    name = made["metadata"]["name"]
    token = control_plane.kubectl("create", "token", name, "-n", namespace).strip()
    (tmp_path / "token").write_text(token)
    cluster = yaml.safe_load(control_plane.kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"])
    (tmp_path / "ca.crt").write_bytes(authority)
    return tmp_path


def job_of(hooks: list[dict[str, Any]]) -> dict[str, Any]:
    (pod,) = of_kind(hooks, "Pod")
    environment = {v["name"]: v.get("value") for v in pod["spec"]["containers"][0]["env"]}
    job: dict[str, Any] = json.loads(environment["TEST_JOB"])
    return job


def server(control_plane: ControlPlane) -> str:
    return f"https://{control_plane.address}:{control_plane.api_port}"


def test_it_makes_follows_and_deletes_a_job(
    operator: Operator, control_plane: ControlPlane, script, hooks, account, stage: PlayedStage
):
    jobs = script.Jobs(stage.namespace, account, server(control_plane))
    job = job_of(hooks)
    # The pools of this API server's operator, not those of the values above.
    job["spec"]["nodePool"] = "test"
    name = jobs.create(job)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    status = script.follow(jobs, name, timeout=30)
    assert status["phase"] == "Succeeded"
    jobs.delete(name)
    with pytest.raises(SystemExit, match="not found"):
        jobs.status(name)


def test_it_says_what_the_job_said_when_the_time_is_over(
    operator: Operator, control_plane: ControlPlane, script, hooks, account, stage, monkeypatch
):
    monkeypatch.setenv("TEST_JOB", json.dumps(job_of(hooks)))
    jobs = script.Jobs(stage.namespace, account, server(control_plane))
    name = jobs.create(job_of(hooks) | {"spec": job_of(hooks)["spec"] | {"nodePool": "test"}})
    stage.await_pod()
    stage.await_status(name, phase="Pending")
    with pytest.raises(SystemExit, match=f"Pending: .*kubectl describe transcriptionjob {name}"):
        script.follow(jobs, name, timeout=0)


def test_what_the_api_server_refuses_is_said_in_its_words(
    control_plane: ControlPlane, script, hooks, account, namespace: str, operator_kubeconfig
):
    elsewhere = script.Jobs("default", account, server(control_plane))
    job = job_of(hooks)
    job["metadata"]["namespace"] = "default"
    with pytest.raises(SystemExit, match=r"cannot create resource .*transcriptionjobs"):
        elsewhere.create(job)
