"""The lives of a TranscriptionJob against a real API server and its real Job controller."""

from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.api import jobs, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import READY, Operator
from transcription_contract.termination import (
    Failure,
    ItemFailure,
    Result,
    ResultFile,
    Termination,
    encode,
)

DELIVERED = encode(
    Termination(
        result=Result(
            language="en",
            audio_seconds=1261,
            model_sha256="ab",
            files=(ResultFile(format="txt", uri="s3://transcripts/standup/standup.txt", bytes=9),),
        )
    )
)


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


def test_a_job_lives_from_apply_to_its_result(operator: Operator, stage: PlayedStage):
    stage.apply(language="en")
    stage.await_status(phase="Pending", reason="WorkersStarting")
    pod = stage.await_pod()
    stage.run_pod(pod)
    stage.await_status(phase="Running", reason="Transcribing", model="turbo", language="en")
    stage.end_pod(pod, 0, DELIVERED)
    status = stage.await_status(phase="Succeeded")
    assert status["result"]["files"][0]["uri"] == "s3://transcripts/standup/standup.txt"
    assert status["progress"]["percent"] == 100
    assert status["observedGeneration"] == 1
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Complete": "True",
        "Failed": "False",
        "Suspended": "False",
        "Reconciling": "False",
        "Stalled": "False",
    }
    wait_until("the end is told", lambda: len(stage.events()) >= 1, timeout=10)
    assert [reason for reason, _ in stage.events()] == ["Succeeded"]


MOSTLY_DELIVERED = encode(
    Termination(
        result=Result(
            language="en",
            audio_seconds=90,
            model_sha256="ab",
            items=3,
            items_failed=1,
            failures=(
                ItemFailure(
                    item="s3://recordings/calls/b.mp3",
                    reason="NoAudioStream",
                    message="s3://recordings/calls/b.mp3 has no sound",
                ),
            ),
        )
    )
)


def test_a_bad_recording_among_many_is_named_in_the_status(operator: Operator, stage: PlayedStage):
    stage.apply(source={"uri": "s3://recordings/calls/"})
    stage.end_pod(stage.await_pod(), 0, MOSTLY_DELIVERED)
    status = stage.await_status(
        phase="Succeeded",
        message="Transcribed 2 of 3 recordings, 1 min 30 s of audio, 1 recording failed, "
        "to s3://transcripts/standup/",
    )
    assert (status["result"]["items"], status["result"]["itemsFailed"]) == (3, 1)
    assert (status["progress"]["itemsDone"], status["progress"]["itemsFailed"]) == (3, 1)
    assert [failure["reason"] for failure in status["failures"]] == ["NoAudioStream"]


FINAL_WORDS = [
    (65, "MediaInvalid", "s3://recordings/standup.mp3 is not audio"),
    (66, "SourceNotFound", "s3://recordings/standup.mp3 does not exist"),
    (77, "AccessDenied", "the store refused the credentials"),
    (78, "ConfigurationInvalid", "unknown model"),
]


@pytest.mark.parametrize(("code", "reason", "message"), FINAL_WORDS, ids=lambda v: str(v)[:20])
def test_a_final_exit_code_fails_the_job_after_one_pod(
    operator: Operator, stage: PlayedStage, code, reason, message
):
    stage.apply()
    words = encode(Termination(error=Failure(reason=reason, message=message)))
    stage.end_pod(stage.await_pod(), code, words)
    stage.await_status(phase="Failed", reason=reason, message=message)
    assert len(stage.pods()) == 1
    stage.await_event(reason, message)


def test_a_passing_failure_gets_a_new_pod(operator: Operator, stage: PlayedStage):
    stage.apply(backoffLimit=1)
    first = stage.await_pod()
    stage.run_pod(first)
    stage.await_status(phase="Running")
    stage.end_pod(first, 69)
    second = stage.await_pod()
    assert second != first
    stage.end_pod(second, 69)
    status = stage.await_status(phase="Failed", reason="ObjectStoreUnavailable")
    assert status["workers"]["failed"] == 2


def test_a_preempted_pod_does_not_count(operator: Operator, stage: PlayedStage):
    stage.apply(backoffLimit=0)
    first = stage.await_pod()
    stage.end_pod_by_preemption(first)
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")


def test_a_pod_that_cannot_start_is_explained_and_given_up_at_its_deadline(
    operator: Operator, stage: PlayedStage
):
    stage.apply(pendingDeadlineSeconds=4)
    pod = stage.await_pod()
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "nope" not found'}
    stage.set_pod(pod, "Pending", {"waiting": waiting})
    stage.await_status(phase="Pending", reason="CreateContainerConfigError")
    status = stage.await_status(phase="Failed", reason="CreateContainerConfigError")
    assert 'secret "nope" not found' in status["message"]
    wait_until("Job and pod are gone", lambda: not stage.jobs() and not stage.pods(), timeout=30)


def test_a_pool_that_exists_no_more_fails_the_job_without_a_pod(
    operator_kubeconfig: Path, tmp_path: Path, stage: PlayedStage
):
    """Also where the chart's admission policy is switched off."""
    pools = {"OPERATOR_NODE_POOLS": '{"test": {}}'}
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **pools)
    operator.start()
    try:
        stage.apply(nodePool="cpu")
        status = stage.await_status(phase="Failed", reason="ConfigurationInvalid")
    finally:
        operator.kill()
    assert status["message"] == "there is no node pool 'cpu'; the pools are: test"
    assert not stage.jobs()


def test_a_pool_that_the_api_server_does_not_take_fails_the_job_in_its_words(
    operator_kubeconfig: Path, tmp_path: Path, stage: PlayedStage
):
    pools = {"OPERATOR_NODE_POOLS": '{"test": {"nodeSelector": {"disk": "s s d"}}}'}
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", **pools)
    operator.start()
    try:
        stage.apply()
        status = stage.await_status(phase="Failed", reason="ConfigurationInvalid")
    finally:
        operator.kill()
    assert status["message"].startswith("the API server refuses the Job: ")
    assert "nodeSelector" in status["message"]


def test_a_job_that_was_deleted_by_hand_is_made_again(operator: Operator, stage: PlayedStage):
    stage.apply()
    stage.await_status(phase="Pending")
    (first,) = stage.jobs()
    stage.api.delete(f"{jobs(stage.namespace)}/{first['metadata']['name']}")
    uid = first["metadata"]["uid"]
    wait_until(
        "another Job stands there",
        lambda: any(job["metadata"]["uid"] != uid for job in stage.jobs()),
        timeout=30,
    )


def test_deleting_the_parent_removes_job_and_pods_while_the_operator_is_down(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    stage.await_pod()
    operator.kill()
    stage.api.delete(f"{transcription_jobs(stage.namespace)}/standup")
    wait_until("Job and pods are gone", lambda: not stage.jobs() and not stage.pods(), timeout=60)


def test_what_happened_while_the_operator_was_down_is_caught_up(
    operator: Operator, stage: PlayedStage
):
    stage.apply()
    pod = stage.await_pod()
    operator.kill()
    stage.end_pod(pod, 0, DELIVERED)
    stage.apply(name="second", nodePool="cpu")
    operator.start()
    stage.await_status(phase="Succeeded")
    stage.await_status("second", phase="Pending")
    assert len(stage.jobs()) == 2


def test_an_operator_killed_again_and_again_makes_one_job(
    stopped_operator: Operator, stage: PlayedStage
):
    """Each start is killed a little later than the one before: the first before it knows the
    resource, the last after its status is written."""
    stage.apply()
    moments = {
        "at once": lambda: True,
        "it watches": lambda: READY in stopped_operator.log,
        "its Job is there": lambda: bool(stage.jobs()),
        "its status is written": lambda: bool(stage.status().get("phase")),
    }
    for name, moment in moments.items():
        stopped_operator.start(ready=False)
        wait_until(name, moment, timeout=30)
        stopped_operator.kill()
    (first,) = stage.jobs()
    stopped_operator.start()
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
    assert [job["metadata"]["uid"] for job in stage.jobs()] == [first["metadata"]["uid"]]
