"""Jobs that are held back, let go on, tried again and cleaned away."""

from collections.abc import Iterator

import pytest

from dev.commands import wait_until
from tests.api import Api, core, jobs, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


def change(stage: PlayedStage, name: str = "standup", **spec: object) -> None:
    stage.api.merge(f"{transcription_jobs(stage.namespace)}/{name}", {"spec": spec})


def truths(status: dict) -> set[str]:
    return {c["type"] for c in status["conditions"] if c["status"] == "True"}


def test_a_suspended_job_loses_its_pods_and_goes_on_when_it_is_resumed(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")
    (before,) = stage.jobs()
    change(stage, suspend=True)
    assert truths(stage.await_status(phase="Suspended")) == {"Suspended"}
    wait_until("the pods are gone", lambda: not stage.pods(), timeout=60)
    change(stage, suspend=False)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
    assert [job["metadata"]["uid"] for job in stage.jobs()] == [before["metadata"]["uid"]]


def test_a_job_that_is_applied_suspended_makes_nothing_until_it_is_resumed(
    operator: Operator, stage: PlayedStage
):
    stage.apply(suspend=True)
    stage.await_status(phase="Suspended")
    assert not stage.jobs()
    change(stage, suspend=False)
    stage.await_pod()


def test_a_job_that_is_active_for_too_long_fails_and_can_be_tried_again(
    operator: Operator, stage: PlayedStage
):
    stage.apply(activeDeadlineSeconds=2)
    stage.run_pod(stage.await_pod())
    status = stage.await_status(phase="Failed", reason="DeadlineExceeded")
    assert "activeDeadlineSeconds (2 s): raise it" in status["message"]
    change(stage, activeDeadlineSeconds=600)
    retry(stage, "once")
    stage.await_status(attempt=2)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")


def test_a_new_deadline_reaches_the_running_job(operator: Operator, stage: PlayedStage):
    stage.apply(activeDeadlineSeconds=600)
    stage.await_pod()
    change(stage, activeDeadlineSeconds=900)
    wait_until(
        "the Job has it",
        lambda: stage.jobs()[0]["spec"].get("activeDeadlineSeconds") == 900,
        timeout=20,
    )


def retry(stage: PlayedStage, value: str) -> None:
    annotations = {"annotations": {"transcription.dev/retry": value}}
    stage.api.merge(f"{transcription_jobs(stage.namespace)}/standup", {"metadata": annotations})


def test_a_failed_job_is_tried_again_once_for_each_value_of_the_annotation(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    stage.end_pod(stage.await_pod(), 66)
    stage.await_status(phase="Failed", reason="SourceNotFound")
    first = stage.jobs()[0]["metadata"]["name"]
    retry(stage, "the file is there now")
    stage.await_status(phase="Pending", attempt=2)
    wait_until(
        "the Job of the first attempt is gone",
        lambda: [job["metadata"]["name"] for job in stage.jobs()] not in ([first], []),
        timeout=30,
    )
    stage.end_pod(stage.await_pod(), 66)
    status = stage.await_status(phase="Failed", attempt=2)
    assert status["retry"] == "the file is there now"


def test_a_finished_job_is_deleted_when_its_time_is_over(operator: Operator, stage: PlayedStage):
    stage.apply(ttlSecondsAfterFinished=2)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    path = f"{transcription_jobs(stage.namespace)}/standup"
    wait_until("it is gone", lambda: stage.api.get(path) is None, timeout=30)
    wait_until("its Job, too", lambda: not stage.jobs(), timeout=30)


def test_a_ttl_that_is_set_after_the_end_counts_from_the_end(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
    change(stage, ttlSecondsAfterFinished=0)
    path = f"{transcription_jobs(stage.namespace)}/standup"
    wait_until("it is gone", lambda: stage.api.get(path) is None, timeout=30)


def test_a_quota_is_told_in_the_api_servers_words_and_given_up_at_the_deadline(
    operator: Operator, stage: PlayedStage
):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    stage.api.create(core(stage.namespace, "resourcequotas"), quota)
    stage.apply(pendingDeadlineSeconds=8)
    status = stage.await_status(phase="Pending", reason="QuotaExceeded")
    assert "exceeded quota: none" in status["message"]
    status = stage.await_status(phase="Failed", reason="QuotaExceeded")
    assert status["message"].startswith("No worker could start within 8 s")
    wait_until("its Job is deleted", lambda: not stage.jobs(), timeout=30)


def test_kueues_jobs_are_made_suspended_and_never_resumed_by_us(
    operator: Operator, stage: PlayedStage
):
    stage.apply(queueName="team-a")
    stage.await_status(phase="Queued", reason="AwaitingAdmission")
    (job,) = stage.jobs()
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert job["spec"]["suspend"] is True
    stage.api.merge(
        f"{jobs(stage.namespace)}/{job['metadata']['name']}", {"spec": {"suspend": False}}
    )
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")
    stage.api.merge(
        f"{jobs(stage.namespace)}/{job['metadata']['name']}", {"spec": {"suspend": True}}
    )
    stage.await_status(phase="Queued", reason="AwaitingAdmission")


@pytest.fixture
def silent_node(api: Api) -> Iterator[str]:
    """A node whose kubelet is gone. Of one that is no object, the pod collector would sooner or
    later remove the pods itself."""
    ready = {"type": "Ready", "status": "Unknown"}
    body = {"metadata": {"generateName": "silent-"}, "status": {"conditions": [ready]}}
    name: str = api.create("/api/v1/nodes", body)["metadata"]["name"]
    yield name
    api.delete(f"/api/v1/nodes/{name}")


def test_a_pod_on_a_lost_node_is_replaced(operator: Operator, stage: PlayedStage, silent_node: str):
    """No kubelet ever confirms the deletion: the pod stays, until somebody says it has failed."""
    stage.apply()
    lost = stage.await_pod()
    binding = {
        "metadata": {"name": lost},
        "target": {"apiVersion": "v1", "kind": "Node", "name": silent_node},
    }
    stage.api.create(f"{core(stage.namespace, 'pods')}/{lost}/binding", binding)
    stage.run_pod(lost)
    stage.await_status(phase="Running")
    stage.api.delete(f"{core(stage.namespace, 'pods')}/{lost}?gracePeriodSeconds=1")
    wait_until(
        "another pod is made",
        lambda: any(
            pod["metadata"]["name"] != lost and "deletionTimestamp" not in pod["metadata"]
            for pod in stage.pods()
        ),
        timeout=60,
    )
    assert f"pod {lost} is marked Failed: Node {silent_node} is not ready" in operator.log
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
