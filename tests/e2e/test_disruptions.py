"""Pods that are deleted or evicted while they work, and namespaces that go."""

from collections.abc import Iterator

import pytest

from dev.commands import wait_until
from dev.kubectl import Kubectl
from tests.api import Api, Json
from tests.documents import commands
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.test_faults import OPERATOR, OPERATOR_NAMESPACE, no_operator, scale
from tests.stage import new_namespace

__all__ = ["no_operator"]

(CLEARS,) = (words for _, words in commands("kubectl") if words[:2] == ["delete", "jobs"])
"""What docs/troubleshooting.md says about a namespace that does not go."""


@pytest.fixture(scope="module", autouse=True)
def crowded(api: Api, recordings: Bucket, transcripts: Bucket) -> Iterator[ClusterStage]:
    """A namespace with a job that needs more disk than it may have: it fails in the background."""
    stage = ClusterStage(api, new_namespace(api, "crowded-"))
    stage.write_secret()
    little = {"ephemeral-storage": "2Mi"}
    # Slow enough that three pods do not get through the recording before the kubelet looks.
    resources = {"requests": little, "limits": {**little, "cpu": "500m"}}
    stage.apply_recording("large", resources=resources, decoding={"batchSize": 1})
    yield stage
    api.delete(f"/api/v1/namespaces/{stage.namespace}")
    transcripts.clear(f"{stage.namespace}/")


@pytest.fixture
def source(recordings: Bucket, stage: ClusterStage) -> Iterator[Json]:
    """Five minutes of speech."""
    whole = recordings.read("standup.mp3")
    recordings.write(f"{stage.namespace}/part.mp3", whole[: len(whole) // 4])
    yield {"uri": f"s3://recordings/{stage.namespace}/part.mp3"}
    recordings.clear(f"{stage.namespace}/")


def running(stage: ClusterStage) -> str:
    """The name of the pod that works, when there is one."""
    found: list[str] = []

    def works() -> bool:
        found[:] = [
            pod["metadata"]["name"]
            for pod in stage.pods()
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        ]
        return bool(found)

    wait_until("a pod works", works, timeout=90)
    return found[0]


def test_pods_that_are_deleted_use_up_no_retry(stage: ClusterStage, kubectl: Kubectl, source: Json):
    stage.apply_recording("deleted", source=source, backoffLimit=0)
    for how in (("--force", "--grace-period=0"), ("--grace-period=5",)):
        kubectl("delete", "pod", running(stage), "-n", stage.namespace, "--wait=false", *how)
    statuses = stage.follow("deleted")
    last = statuses[-1]
    assert last["phase"] == "Succeeded", last["message"]
    assert (last["workers"]["failed"], last["workers"]["interrupted"]) == (0, 2)


def test_a_pod_that_outgrows_its_disk_is_told_after_three_of_them_with_advice(
    crowded: ClusterStage,
):
    last = crowded.follow("large")[-1]
    assert (last["phase"], last["reason"]) == ("Failed", "Evicted"), last["message"]
    assert "exceeds the total limit of containers 2Mi" in last["message"]
    assert "raise limits.ephemeral-storage in spec.resources" in last["message"]
    assert len(last["evictedPods"]) == 3


@pytest.fixture
def other(api: Api, transcripts: Bucket) -> Iterator[ClusterStage]:
    stage = ClusterStage(api, new_namespace(api, "other-"))
    stage.write_secret()
    yield stage
    api.delete(f"/api/v1/namespaces/{stage.namespace}")
    transcripts.clear(f"{stage.namespace}/")


def test_a_namespace_that_is_deleted_while_the_operator_is_away_goes_by_the_command_or_with_it(
    stage: ClusterStage,
    other: ClusterStage,
    kubectl: Kubectl,
    request: pytest.FixtureRequest,
):
    paths = {each: f"/api/v1/namespaces/{each.namespace}" for each in (stage, other)}
    for each in paths:
        each.apply_recording("left")
    for each in paths:
        running(each)
    request.getfixturevalue("no_operator")
    for path in paths.values():
        stage.api.delete(path)
    for each in paths:
        wait_until("its worker has stopped", lambda each=each: not at_work(each), timeout=90)

    kubectl(*(word.replace("media", stage.namespace) for word in CLEARS))
    gone = "the namespace is gone"
    wait_until(gone, lambda: stage.api.get(paths[stage]) is None, timeout=60)
    assert stage.api.get(paths[other]) is not None
    scale(kubectl, 1)
    kubectl.rollout(OPERATOR_NAMESPACE, OPERATOR)
    wait_until(gone, lambda: stage.api.get(paths[other]) is None, timeout=60)


def at_work(stage: ClusterStage) -> bool:
    return any(pod["status"]["phase"] in ("Pending", "Running") for pod in stage.pods())
