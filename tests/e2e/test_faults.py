"""Workers and operators die; the job does not."""

from collections.abc import Iterator

import pytest

from dev.commands import wait_until
from dev.kubectl import Kubectl
from tests.api import transcription_jobs
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.processes import kill, pids_of_module

OPERATOR = "transcription-operator"
OPERATOR_NAMESPACE = "transcription-system"
KILLS = 10


def parts(transcripts: Bucket, stage: ClusterStage, name: str) -> dict:
    found = transcripts.keys(stage.prefix(name) + ".transcription/")
    return {key: changed for key, changed in found.items() if "/parts/" in key}


def outputs(transcripts: Bucket, stage: ClusterStage, name: str) -> dict[str, bytes]:
    prefix = stage.prefix(name)
    keys = [key for key in transcripts.keys(prefix) if not key.endswith("manifest.json")]
    return {key.removeprefix(prefix): transcripts.read(key) for key in keys}


def test_a_worker_killed_halfway_is_followed_by_one_that_goes_on(
    stage: ClusterStage, transcripts: Bucket
):
    stage.apply_recording("undisturbed")
    assert stage.follow("undisturbed")[-1]["phase"] == "Succeeded"

    stage.apply_recording("killed")
    uid = stage.parent("killed")["metadata"]["uid"]
    wait_until(
        "it is about halfway",
        lambda: stage.status("killed").get("progress", {}).get("percent", 0) >= 40,
        timeout=120,
    )
    (worker,) = pids_of_module("whisper_transcriber", environment=uid)
    kill([worker])
    before = parts(transcripts, stage, "killed")
    assert len(before) >= 3

    # A part that is decoded again is written again: its time would change.
    seen_later: dict = {}

    def finished() -> bool:
        seen_later.update(parts(transcripts, stage, "killed"))
        return stage.status("killed").get("phase") in ("Succeeded", "Failed")

    wait_until("it is finished", finished, timeout=300)
    assert stage.status("killed")["phase"] == "Succeeded", stage.status("killed")["message"]
    assert stage.status("killed")["workers"]["failed"] == 1
    assert {key: seen_later[key] for key in before} == before
    assert len(seen_later) > len(before)
    assert outputs(transcripts, stage, "killed") == outputs(transcripts, stage, "undisturbed")


@pytest.fixture
def no_operator(kubectl: Kubectl) -> Iterator[None]:
    """The operator's Deployment without pods, for as long as the test runs."""
    scale(kubectl, 0)
    wait_until("the operator is gone", lambda: not pids_of_module(OPERATOR_MODULE), timeout=60)
    yield
    scale(kubectl, 1)
    kubectl.rollout(OPERATOR_NAMESPACE, OPERATOR)


OPERATOR_MODULE = "transcription_operator"


def scale(kubectl: Kubectl, replicas: int) -> None:
    deployment = f"deployment/{OPERATOR}"
    kubectl("scale", deployment, "-n", OPERATOR_NAMESPACE, f"--replicas={replicas}")


def test_deleting_the_parent_stops_job_and_pods(stage: ClusterStage):
    stage.apply_recording("deleted")
    stage.await_status("deleted", timeout=120, phase="Running")
    stage.api.delete(f"{transcription_jobs(stage.namespace)}/deleted")
    wait_until("Job and pods are gone", lambda: not stage.jobs() and not stage.pods(), timeout=90)


def test_deleting_the_parent_stops_job_and_pods_while_the_operator_is_down(
    stage: ClusterStage, request: pytest.FixtureRequest
):
    stage.apply_recording("deleted")
    stage.await_status("deleted", timeout=120, phase="Running")
    request.getfixturevalue("no_operator")
    stage.api.delete(f"{transcription_jobs(stage.namespace)}/deleted")
    wait_until("Job and pods are gone", lambda: not stage.jobs() and not stage.pods(), timeout=90)


def kill_operator(kubectl: Kubectl) -> None:
    """SIGKILL, and the pod is replaced at once: a container alone would be restarted only after
    a longer pause each time."""
    before = set(pids_of_module(OPERATOR_MODULE))
    kill(list(before))
    selector = f"app.kubernetes.io/name={OPERATOR}"
    kubectl("delete", "pod", "-n", OPERATOR_NAMESPACE, "-l", selector, "--now", "--wait=false")
    wait_until(
        "another operator runs",
        lambda: bool(set(pids_of_module(OPERATOR_MODULE)) - before),
        timeout=60,
    )


def test_an_operator_killed_ten_times_during_a_job_makes_one_job(
    stage: ClusterStage, kubectl: Kubectl
):
    """Mostly without a pause between start and kill, so that the operator dies at its first
    steps; every third time it may first come to watch and to write."""
    stage.apply_recording("watched", decoding={"batchSize": 1})
    stage.await_status("watched", phase="Pending")
    (first,) = stage.jobs()
    for number in range(KILLS):
        kill_operator(kubectl)
        if number % 3 == 2:
            kubectl.rollout(OPERATOR_NAMESPACE, OPERATOR)
    assert stage.status("watched").get("phase") != "Succeeded", "the kills came too late"
    assert stage.follow("watched")[-1]["phase"] == "Succeeded"
    assert [job["metadata"]["uid"] for job in stage.jobs()] == [first["metadata"]["uid"]]
    assert [pod["status"]["phase"] for pod in stage.pods()] == ["Succeeded"]
