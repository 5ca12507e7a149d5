"""Bad input ends as one clear sentence, after one pod."""

from typing import Any

import pytest

from dev.commands import wait_until
from tests.e2e.conftest import Bucket, ClusterStage

FAILURES: list[tuple[str, dict[str, Any], str, str]] = [
    ("a text file", {"source": {"uri": "s3://recordings/notes.mp3"}},
     "MediaInvalid", "s3://recordings/notes.mp3"),
    ("a missing object", {"source": {"uri": "s3://recordings/nowhere.mp3"}},
     "SourceNotFound", "s3://recordings/nowhere.mp3"),
    ("wrong credentials", {"objectStore": {"secretName": "wrong"}},
     "AccessDenied", "s3://"),
    ("a checkpoint with another sum",
     {"model": {"uri": "s3://models/demo.pt", "sha256": "0" * 64}},
     "ModelInvalid", "demo.pt"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "reason", "named"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
)
def test_it_fails_after_one_pod_with_a_sentence_that_names_the_object(
    stage: ClusterStage, recordings: Bucket, spec, reason, named
):
    recordings.write("notes.mp3", b"These are the minutes of the meeting. " * 100)
    stage.write_secret("wrong", secretKey="not-the-key")
    stage.apply_recording("bad", **spec)
    last = stage.follow("bad")[-1]
    assert (last["phase"], last["reason"]) == ("Failed", reason), last["message"]
    assert named in last["message"]
    assert len(stage.pods()) == 1
    stage.await_event(reason, last["message"])


def test_a_worker_that_needs_more_memory_than_it_may_have_is_told_with_its_limit(
    stage: ClusterStage,
):
    limits = {"limits": {"memory": "300Mi"}, "requests": {"memory": "300Mi"}}
    stage.apply_recording("greedy", resources=limits, backoffLimit=0)
    last = stage.follow("greedy")[-1]
    assert (last["phase"], last["reason"]) == ("Failed", "OOMKilled"), last["message"]
    assert "300Mi" in last["message"]


def test_a_pod_that_fits_no_node_is_told_in_the_schedulers_words(stage: ClusterStage):
    huge = {"requests": {"cpu": "500"}}
    stage.apply_recording("huge", resources=huge, pendingDeadlineSeconds=10)
    statuses = stage.follow("huge")
    pending = [s for s in statuses if s.get("phase") == "Pending"]
    assert pending[-1]["reason"] == "Unschedulable"
    last = statuses[-1]
    assert (last["phase"], last["reason"]) == ("Failed", "Unschedulable")
    assert "Insufficient cpu" in last["message"]
    wait_until("the pod is gone", lambda: not stage.pods(), timeout=60)


def test_a_missing_secret_is_told_in_the_kubelets_words_while_it_is_pending(stage: ClusterStage):
    stage.apply_recording(
        "locked", objectStore={"secretName": "nowhere"}, pendingDeadlineSeconds=15
    )
    statuses = stage.follow("locked")
    pending = [s for s in statuses if s.get("phase") == "Pending"]
    assert 'secret "nowhere" not found' in pending[-1]["message"]
    last = statuses[-1]
    assert (last["phase"], last["reason"]) == ("Failed", "CreateContainerConfigError")
    assert 'secret "nowhere" not found' in last["message"]
    assert last["workers"]["failed"] == 0
