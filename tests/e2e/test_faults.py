"""Workers and operators die; the job does not."""

import json
from collections.abc import Iterator

import pytest

from dev.commands import wait_until
from dev.kubectl import Kubectl
from dev.operator_release import CHART
from dev.paths import DEV
from tests.api import transcription_jobs
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.processes import kill, pids_of_module
from tests.e2e.release import Release
from tests.integration.operator.process import READY

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
    selector = ("-l", f"app.kubernetes.io/name={OPERATOR}")
    where = ("-n", OPERATOR_NAMESPACE, "--timeout=60s")
    try:
        kubectl("wait", "--for=delete", "pod", *selector, *where)
        yield
    finally:
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


def leader(kubectl: Kubectl) -> str:
    """The operator's pod that holds the lease; empty for none."""
    lease = kubectl.json("get", "lease", OPERATOR, "-n", OPERATOR_NAMESPACE)
    return lease["spec"].get("holderIdentity") or ""


def kill_leader(kubectl: Kubectl) -> str:
    """SIGKILL to the pod that leads; the one that leads next. The killed one is replaced at once: a
    container alone would be restarted only after a longer pause each time."""
    killed = leader(kubectl)
    kill(pids_of_module(OPERATOR_MODULE, environment=killed))
    kubectl("delete", "pod", killed, "-n", OPERATOR_NAMESPACE, "--now", "--wait=false")
    wait_until("another pod leads", lambda: leader(kubectl) not in ("", killed), timeout=60)
    return leader(kubectl)


@pytest.fixture
def two_operators(kubectl: Kubectl, release: Release) -> Iterator[None]:
    """A leader that is killed is followed after 2 seconds by one that stands by."""
    timing = {"durationSeconds": 2, "deadlineSeconds": 1, "retrySeconds": 0.5}
    lease = f"--set-json=operator.lease={json.dumps(timing)}"
    release.upgrade(CHART, DEV / "values.yaml", lease)
    scale(kubectl, 2)
    kubectl.rollout(OPERATOR_NAMESPACE, OPERATOR)
    yield
    scale(kubectl, 1)


def test_an_operator_killed_ten_times_during_a_job_makes_one_job(
    two_operators: None, stage: ClusterStage, kubectl: Kubectl
):
    """Mostly as soon as it leads, so that it dies at its first steps; every third time it may first
    come to watch and to write."""
    stage.apply_recording("watched", decoding={"batchSize": 1})
    stage.await_status("watched", phase="Pending")
    (first,) = stage.jobs()
    for number in range(KILLS):
        pod = kill_leader(kubectl)
        if number % 3 == 2:
            log = ("logs", pod, "-n", OPERATOR_NAMESPACE)
            wait_until("it watches", lambda log=log: READY in kubectl(*log), timeout=30)
    assert stage.status("watched").get("phase") != "Succeeded", "the kills came too late"
    assert stage.follow("watched")[-1]["phase"] == "Succeeded"
    assert [job["metadata"]["uid"] for job in stage.jobs()] == [first["metadata"]["uid"]]
    assert [pod["status"]["phase"] for pod in stage.pods()] == ["Succeeded"]
