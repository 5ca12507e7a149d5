from typing import Any

import pytest

from tests.api import Api, ApiRefusal, transcription_jobs
from tests.stage import Stage


@pytest.fixture
def stage(api: Api, namespace: str, operator_kubeconfig) -> Stage:
    return Stage(api, namespace)


CALLS = "s3://recordings/calls/"


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("source", {"source": {"uri": "s3://recordings/other.mp3"}}),
    ("source", {"source": {"uri": CALLS, "include": ["*.mp3"]}}),
    ("output", {"output": {"subtitles": {"highlightWords": True}}}),
    ("decoding", {"decoding": {"wordTimestamps": True}}),
    ("failurePolicy", {"failurePolicy": "FailFast"}),
    ("output", {"output": {"uri": "s3://transcripts/other/"}}),
    ("model", {"model": {"name": "tiny"}}),
    ("nodePool", {"nodePool": "cpu"}),
    ("objectStore", {"objectStore": {"secretName": "other"}}),
    ("resources", {"resources": {"limits": {"memory": "1Gi"}}}),
    ("podTemplate", {"podTemplate": {"labels": {"team": "media"}}}),
    ("queueName", {"queueName": "team-a"}),
]


@pytest.mark.parametrize(
    ("field", "spec"), CHANGES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CHANGES)]
)
def test_what_is_running_cannot_be_changed_under_it(stage: Stage, field, spec):
    stage.apply()
    path = f"{transcription_jobs(stage.namespace)}/standup"
    with pytest.raises(ApiRefusal, match=f"{field} cannot be changed: create a new"):
        stage.api.merge(path, {"spec": spec})


STEERING = {
    "suspend": True,
    "priority": 7,
    "workers": 2,
    "pendingDeadlineSeconds": 0,
    "activeDeadlineSeconds": 60,
    "ttlSecondsAfterFinished": 60,
}


def test_what_steers_a_running_job_can_be_changed_and_taken_away(stage: Stage):
    stage.apply()
    path = f"{transcription_jobs(stage.namespace)}/standup"
    changed = stage.api.merge(path, {"spec": STEERING})["spec"]
    assert STEERING.items() <= changed.items()
    nothing = {"spec": dict.fromkeys(STEERING)}
    assert stage.api.merge(path, nothing)["spec"] == stage.apply(name="fresh")["spec"]


def test_an_optional_field_cannot_be_taken_away_either(stage: Stage):
    stage.apply(nodePool="cpu")
    path = f"{transcription_jobs(stage.namespace)}/standup"
    with pytest.raises(ApiRefusal, match="nodePool cannot be changed"):
        stage.api.merge(path, {"spec": {"nodePool": None}})
