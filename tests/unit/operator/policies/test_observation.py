import pytest

from tests.unit.operator.builders import UID, controlled_by, raw_pod
from transcription_api import API_VERSION, KIND
from transcription_operator.policies.observation import ObservedJob, ObservedPod


def test_a_terminated_container_gives_code_reason_and_last_words():
    state = {
        "terminated": {
            "exitCode": 66,
            "reason": "Error",
            "message": "{}",
            "finishedAt": "2026-11-22T12:00:00Z",
        }
    }
    seen = ObservedPod.parse(raw_pod(state, phase="Failed"))
    assert (seen.exit_code, seen.ended, seen.last_words) == (66, "Error", "{}")
    assert seen.finished_at is not None
    assert seen.memory_limit == "4Gi"


def test_a_sidecars_state_is_not_the_workers():
    pod = raw_pod({"running": {}})
    pod["status"]["containerStatuses"].insert(
        0, {"name": "sidecar", "state": {"terminated": {"exitCode": 1}}}
    )
    seen = ObservedPod.parse(pod)
    assert seen.running
    assert seen.exit_code is None


@pytest.mark.parametrize(
    ("metadata", "phase"),
    [({}, "Failed"), ({"deletionTimestamp": "2026-11-22T12:00:00Z"}, "Running")],
    ids=["marked failed by the garbage collector", "being deleted"],
)
def test_the_last_state_of_a_pod_on_a_lost_node_does_not_count_as_running(metadata, phase):
    pod = raw_pod({"running": {}}, phase=phase)
    pod["metadata"] |= metadata
    assert not ObservedPod.parse(pod).running


def test_a_pod_that_has_just_been_made_is_pending():
    seen = ObservedPod.parse({"metadata": {"name": "p"}})
    assert (seen.phase, seen.running, seen.waiting) == ("Pending", False, None)


def test_only_conditions_that_are_true_count_and_the_verdict_comes_before_the_end():
    seen = ObservedJob.parse(
        {
            "metadata": {
                "name": "j",
                "uid": "u",
                "ownerReferences": controlled_by(UID, KIND, API_VERSION),
            },
            "status": {
                "conditions": [
                    {"type": "FailureTarget", "status": "True", "reason": "PodFailurePolicy"},
                    {"type": "Complete", "status": "False"},
                ]
            },
        }
    )
    assert seen.failed
    assert not seen.complete
    assert seen.owner_uid == UID


@pytest.mark.parametrize(
    ("references", "pods_owner", "jobs_owner"),
    [
        (controlled_by("u"), "u", None),
        (controlled_by("u", KIND, API_VERSION), None, "u"),
        (controlled_by("u", KIND, "transcription.dev/v1"), None, "u"),
        (controlled_by("u", "ConfigMap", "v1"), None, None),
        (controlled_by("u", "Job", "batch.example/v1"), None, None),
        ([controlled_by("u")[0] | {"controller": False}], None, None),
        ([{"uid": "u", "controller": True}], None, None),
        ([], None, None),
    ],
    ids=[
        "a Job",
        "a TranscriptionJob",
        "a TranscriptionJob of another version",
        "a ConfigMap",
        "another group's Job",
        "an owner that is not the controller",
        "an owner of no kind",
        "nobody",
    ],
)
def test_a_pod_belongs_to_a_job_and_a_job_to_a_transcription_job(
    references, pods_owner, jobs_owner
):
    metadata = {"name": "a", "uid": "a", "namespace": "media", "ownerReferences": references}
    assert ObservedPod.parse({"metadata": metadata}).owner_uid == pods_owner
    assert ObservedJob.parse({"metadata": metadata}).owner_uid == jobs_owner
