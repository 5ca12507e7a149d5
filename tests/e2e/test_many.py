"""Many recordings in one job, shared by two pods: the good ones are done, the bad one is told."""

import json

import pytest

from dev.commands import wait_until
from tests.api import Json, jobs
from tests.e2e.conftest import Bucket, ClusterStage

GOOD = 6


@pytest.fixture
def calls(recordings: Bucket, stage: ClusterStage) -> str:
    """The URI of a prefix with pieces of the demo's recording, and a text file among them."""
    whole, prefix = recordings.read("standup.mp3"), f"{stage.namespace}/calls/"
    length = len(whole) // 40
    for number in range(GOOD):
        piece = whole[number * length : (number + 1) * length]
        recordings.write(f"{prefix}{number}/call.mp3", piece)
    recordings.write(f"{prefix}notes.mp3", b"These are the minutes of the meeting. " * 100)
    recordings.write(f"{prefix}read.me", b"not asked for")
    return f"s3://recordings/{prefix}"


def status_of(stage: ClusterStage, path: str) -> Json:
    found = stage.api.get(path)
    assert found
    status: Json = found["status"]
    return status


def counts(stage: ClusterStage) -> tuple[int, int]:
    workers = stage.status("calls")["workers"]
    return workers["active"], workers["succeeded"]


def test_two_pods_transcribe_what_they_can_of_a_prefix(
    stage: ClusterStage, calls: str, transcripts: Bucket
):
    stage.apply_recording(
        "calls", source={"uri": calls, "include": ["*.mp3"]}, workers=2, language="en",
        output={"uri": f"s3://transcripts/{stage.prefix('calls')}", "formats": ["srt", "txt"]},
        decoding={"batchSize": 2},
    )  # fmt: skip
    statuses = stage.follow("calls")
    last = statuses[-1]

    assert last["phase"] == "Succeeded", last["message"]
    assert "6 of 7 recordings" in last["message"]
    assert (last["progress"]["items"], last["progress"]["itemsFailed"]) == (GOOD + 1, 1)
    assert [(each["item"], each["reason"]) for each in last["failures"]] == [
        (f"{calls}notes.mp3", "MediaInvalid")
    ]
    (job,) = stage.jobs()
    path = f"{jobs(stage.namespace)}/{job['metadata']['name']}"
    wait_until("its Job is complete", lambda: "completionTime" in status_of(stage, path), 60)
    counted = status_of(stage, path)["succeeded"]
    wait_until(
        "the workers are counted as the Job counts them",
        lambda: counts(stage) == (0, counted),
        timeout=60,
    )
    done = [s["progress"]["processedSeconds"] for s in statuses[:-1] if s.get("progress")]
    assert done == sorted(done)

    prefix = stage.prefix("calls")
    expected = {f"{prefix}{n}/call.mp3.{each}" for n in range(GOOD) for each in ("srt", "txt")}
    assert set(transcripts.keys(prefix)) == expected | {f"{prefix}manifest.json"}
    manifest = json.loads(transcripts.read(f"{prefix}manifest.json"))
    assert len(manifest["items"]) == GOOD + 1
    assert all(transcripts.read(key).strip() for key in expected)
