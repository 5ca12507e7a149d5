"""What becomes of pods that are stopped, kept running or multiplied from outside, with the real Job
controller."""

import pytest

from dev.commands import wait_until
from tests.api import Json, core, jobs, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED
from transcription_operator.policies.names import CONTAINER


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


def only_job(stage: PlayedStage) -> str:
    (job,) = stage.jobs()
    return f"{jobs(stage.namespace)}/{job['metadata']['name']}"


def test_a_pod_that_was_asked_to_stop_uses_up_no_retry(operator: Operator, stage: PlayedStage):
    stage.apply(backoffLimit=0)
    first = stage.await_pod()
    stage.run_pod(first)
    stage.await_status(phase="Running")
    stage.end_pod(first, 143)
    second = stage.await_pod()
    assert second != first
    stage.end_pod(second, 0, DELIVERED)
    workers = stage.await_status(phase="Succeeded")["workers"]
    assert workers == {"active": 0, "succeeded": 1, "failed": 0, "retried": 0, "interrupted": 1}


def test_the_number_of_workers_follows_the_spec(operator: Operator, stage: PlayedStage):
    stage.apply()
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")
    path = f"{transcription_jobs(stage.namespace)}/standup"
    for number in (3, 1):
        stage.api.merge(path, {"spec": {"workers": number}})
        wait_until(f"there are {number} pods", lambda n=number: len(stage.pods()) == n, timeout=60)
        (job,) = stage.jobs()
        assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (number, number)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")


def test_the_workers_of_a_job_that_has_ended_are_counted_as_its_job_counts_them(
    operator: Operator, stage: PlayedStage
):
    stage.apply(workers=3)
    wait_until("there are 3 pods", lambda: len(stage.pods()) == 3, timeout=30)
    first, second, _ = (pod["metadata"]["name"] for pod in stage.pods())
    stage.end_pod(first, 0, DELIVERED)
    stage.end_pod(second, 0, DELIVERED)
    status = stage.await_status(phase="Succeeded")
    path = only_job(stage)
    wait_until("its Job is complete", lambda: is_complete(stage.api.get(path)), timeout=30)

    def agree() -> bool:
        job, workers = stage.api.get(path), stage.status()["workers"]
        return bool(job) and workers["succeeded"] == job["status"]["succeeded"]

    wait_until("the Job's number is in the status", agree, timeout=30)
    assert status["workers"]["active"] == stage.status()["workers"]["active"] == 0


def is_complete(job: Json | None) -> bool:
    return bool(job) and any(
        (each["type"], each["status"]) == ("Complete", "True")
        for each in job["status"].get("conditions", [])
    )


def beside_a_proxy(exit_code: int) -> list[Json]:
    ended = {
        "exitCode": exit_code,
        "message": "" if exit_code else DELIVERED,
        "startedAt": "2026-11-22T12:00:00Z",
        "finishedAt": "2026-11-22T12:01:00Z",
    }
    states = {
        CONTAINER: {"terminated": ended},
        "istio-proxy": {"running": {"startedAt": "2026-11-22T12:00:00Z"}},
    }
    common = {"image": "x", "imageID": "x", "ready": False, "restartCount": 0}
    return [{"name": name, "state": state, **common} for name, state in states.items()]


@pytest.mark.parametrize(
    ("exit_code", "phase", "reason"),
    [(0, "Succeeded", "Delivered"), (66, "Failed", "SourceNotFound")],
    ids=["delivered", "failed for good"],
)
def test_a_container_that_others_added_keeps_no_job_running(
    operator: Operator, stage: PlayedStage, exit_code: int, phase: str, reason: str
):
    stage.apply()
    pod = f"{core(stage.namespace, 'pods')}/{stage.await_pod()}/status"
    statuses = beside_a_proxy(exit_code)
    stage.api.merge(pod, {"status": {"phase": "Running", "containerStatuses": statuses}})
    stage.await_status(phase=phase, reason=reason)


def test_a_job_that_somebody_else_suspends_is_theirs_to_resume(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")
    stage.api.merge(only_job(stage), {"spec": {"suspend": True}})
    stage.await_status(phase="Suspended", reason="JobSuspended")
    (job,) = stage.jobs()
    assert job["spec"]["suspend"] is True
    stage.api.merge(only_job(stage), {"spec": {"suspend": False}})
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
