import pytest

from tests.unit.operator.builders import UID, raw_pod
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
                "ownerReferences": [{"uid": UID, "controller": True}],
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
