"""Suspended, resumed, tried again, cleaned away: with real pods."""

from dev.commands import wait_until
from tests.api import jobs, transcription_jobs
from tests.e2e.conftest import SOURCE, Bucket, ClusterStage
from tests.e2e.test_faults import outputs, parts


def change(stage: ClusterStage, name: str, **fields: object) -> None:
    stage.api.merge(f"{transcription_jobs(stage.namespace)}/{name}", fields)


def test_a_suspended_job_keeps_its_parts_and_goes_on_where_it_was(
    stage: ClusterStage, transcripts: Bucket
):
    stage.apply_recording("paused")
    wait_until(
        "it is about halfway",
        lambda: stage.status("paused").get("progress", {}).get("percent", 0) >= 40,
        timeout=120,
    )
    change(stage, "paused", spec={"suspend": True})
    stage.await_status("paused", phase="Suspended")
    wait_until("the pods are gone", lambda: not stage.pods(), timeout=90)
    stored = parts(transcripts, stage, "paused")
    percent = stage.status("paused")["progress"]["percent"]
    assert stored
    change(stage, "paused", spec={"suspend": False})
    seen = stage.follow("paused")
    assert seen[-1]["phase"] == "Succeeded"
    percents = [status["progress"]["percent"] for status in seen]
    assert percents == sorted(percents)
    assert percents[0] >= percent
    assert len(outputs(transcripts, stage, "paused")) == 3


def test_a_job_that_is_active_for_too_long_ends_and_goes_on_from_its_parts_when_tried_again(
    stage: ClusterStage, transcripts: Bucket
):
    stage.apply_recording("slow")
    wait_until("it has a part", lambda: bool(parts(transcripts, stage, "slow")), timeout=120)
    change(stage, "slow", spec={"activeDeadlineSeconds": 1})
    stage.await_status("slow", timeout=60, phase="Failed", reason="DeadlineExceeded")
    wait_until("the pods are gone", lambda: not stage.pods(), timeout=90)
    stored = parts(transcripts, stage, "slow")
    percent = stage.status("slow")["progress"]["percent"]
    again = {"annotations": {"transcription.dev/retry": "with more time"}}
    change(stage, "slow", metadata=again, spec={"activeDeadlineSeconds": 600})
    # Until the operator has seen the annotation, the job is a finished one.
    stage.await_status("slow", attempt=2)
    seen = stage.follow("slow")
    assert (seen[-1]["phase"], seen[-1]["attempt"]) == ("Succeeded", 2)
    assert all(status["progress"]["percent"] >= percent for status in seen)
    assert stored
    assert len(outputs(transcripts, stage, "slow")) == 3


def test_a_child_job_that_was_deleted_by_hand_is_made_again_and_goes_on(
    stage: ClusterStage, transcripts: Bucket
):
    stage.apply_recording("orphaned")
    wait_until("it has a part", lambda: bool(parts(transcripts, stage, "orphaned")), timeout=120)
    (job,) = stage.jobs()
    stage.api.delete(f"{jobs(stage.namespace)}/{job['metadata']['name']}")
    seen = stage.follow("orphaned")
    assert seen[-1]["phase"] == "Succeeded"
    (new,) = stage.jobs()
    assert new["metadata"]["uid"] != job["metadata"]["uid"]


def test_a_job_whose_recording_came_too_late_is_tried_again_by_annotation(
    stage: ClusterStage, recordings: Bucket
):
    key = f"late/{stage.namespace}.mp3"
    stage.apply_recording("late", source={"uri": f"s3://recordings/{key}"})
    stage.await_status("late", timeout=120, phase="Failed", reason="SourceNotFound")
    content = recordings.read(SOURCE.removeprefix("s3://recordings/"))
    recordings.write(key, content)
    change(stage, "late", metadata={"annotations": {"transcription.dev/retry": "uploaded"}})
    stage.await_status("late", timeout=300, phase="Succeeded", attempt=2)
    change(stage, "late", spec={"ttlSecondsAfterFinished": 1})
    path = f"{transcription_jobs(stage.namespace)}/late"
    wait_until("it is deleted", lambda: stage.api.get(path) is None, timeout=60)
    wait_until("its Job and pods, too", lambda: not stage.jobs() and not stage.pods(), timeout=60)
