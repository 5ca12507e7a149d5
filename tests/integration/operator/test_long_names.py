"""Names and specs as long as the API server takes them."""

import json
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.api import Api, Json, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED
from tests.stage import new_namespace
from transcription_operator.policies.names import OWNER_NAME_ANNOTATION

NAMES = (
    "0",
    "2026-11-26.standup.v2",
    "a" * 63,
    "a" * 64,
    "a" * 60 + "-one",
    "a" * 60 + "-two",
    ".".join(["b" * 62] * 4),
    "c" * 253,
)


@pytest.fixture
def stage(api: Api) -> PlayedStage:
    """A namespace whose name has 63 characters."""
    stage = PlayedStage(api, new_namespace(api, "n" * 58))
    assert len(stage.namespace) == 63
    return stage


def test_each_name_gets_a_job_of_its_own_and_comes_to_its_end(
    operator: Operator, stage: PlayedStage
):
    for name in NAMES:
        stage.apply(name=name, output={"uri": f"s3://transcripts/{name}/"})
    wait_until("each has a pod", lambda: len(stage.pods()) == len(NAMES), timeout=60)
    owners = [job["metadata"]["annotations"][OWNER_NAME_ANNOTATION] for job in stage.jobs()]
    assert sorted(owners) == sorted(NAMES)
    for pod in stage.pods():
        stage.end_pod(pod["metadata"]["name"], 0, DELIVERED)
    for name in NAMES:
        stage.await_status(name, phase="Succeeded")
        stage.api.delete(f"{transcription_jobs(stage.namespace)}/{name}")
    wait_until("the Jobs go with them", lambda: not stage.jobs(), timeout=60)


def texts(number: int, length: int) -> list[str]:
    """Different ones, as long as they may be."""
    return [f"{each:03d}".ljust(length, "x") for each in range(number)]


ENVIRONMENT = ("TZ", "OMP_NUM_THREADS", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
LARGE: Json = {
    "source": {
        "uri": "s3://recordings/" + "r" * 1007 + "/",
        "include": texts(32, 256),
        "exclude": texts(32, 256),
    },
    "decoding": {"initialPrompt": "p" * 4096, "hotwords": texts(200, 100)},
    "podTemplate": {
        "env": [{"name": name, "value": "v" * 4096} for name in ENVIRONMENT],
        "annotations": {f"example.com/a{name}": "v" * 4096 for name in texts(32, 60)},
        "labels": {f"example.com/l{name}": "v" * 63 for name in texts(32, 60)},
        "nodeSelector": {f"example.com/n{name}": "v" * 63 for name in texts(32, 60)},
    },
}
ALLOWED = {
    "allowedEnv": list(ENVIRONMENT),
    "allowedAnnotations": ["example.com/*"],
    "allowedLabels": ["example.com/*"],
}


def test_a_spec_as_large_as_the_schema_allows_is_handled_like_any_other(
    operator_kubeconfig: Path, tmp_path: Path, api: Api, namespace: str
):
    stage = PlayedStage(api, namespace)
    settings = {"OPERATOR_POD_TEMPLATE": json.dumps(ALLOWED)}
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **settings)
    operator.start()
    try:
        assert len(json.dumps(stage.apply(**LARGE))) > 200_000
        stage.await_status(phase="Pending", reason="WorkersStarting")
        stage.end_pod(stage.await_pod(), 0, DELIVERED)
        stage.await_status(phase="Succeeded")
    finally:
        operator.kill()
    assert "Traceback" not in operator.log
