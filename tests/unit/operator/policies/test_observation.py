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


RUNNING, ENDED = {"running": {}}, {"terminated": {"exitCode": 0}}
BESIDE = [
    ("a proxy", ENDED, {"name": "istio-proxy", "state": RUNNING}, ("istio-proxy",)),
    ("a proxy that has ended, too", ENDED, {"name": "istio-proxy", "state": ENDED}, ()),
    ("the worker still runs", RUNNING, {"name": "istio-proxy", "state": RUNNING}, ()),
]


@pytest.mark.parametrize(
    ("state", "other", "expected"), [b[1:] for b in BESIDE], ids=[b[0] for b in BESIDE]
)
def test_containers_that_run_on_when_the_worker_has_ended_are_seen(state, other, expected):
    pod = raw_pod(state)
    pod["status"]["containerStatuses"].append(other)
    assert ObservedPod.parse(pod).still_running == expected


def test_a_native_sidecar_is_left_to_the_kubelet():
    proxy = {"name": "istio-proxy", "state": RUNNING, "started": True}
    assert ObservedPod.parse(raw_pod(ENDED, initContainerStatuses=[proxy])).still_running == ()


@pytest.mark.parametrize(
    ("failed", "ignored", "expected"),
    [("2", "1", (3, 2, 1)), ("2", None, (3, 2, 0)), ("x", "-1", (3, 0, 0))],
    ids=["both", "none ignored", "not numbers"],
)
def test_a_pod_tells_how_many_of_its_worker_came_before_it(failed, ignored, expected):
    counts = {
        "batch.kubernetes.io/job-completion-index": "3",
        "batch.kubernetes.io/job-index-failure-count": failed,
        "batch.kubernetes.io/job-index-ignored-failure-count": ignored,
    }
    pod = raw_pod(RUNNING)
    pod["metadata"]["annotations"] = {key: text for key, text in counts.items() if text}
    seen = ObservedPod.parse(pod)
    assert (seen.index, seen.failures, seen.interruptions) == expected


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


def test_a_job_tells_whose_its_suspension_is_and_how_many_workers_it_has():
    seen = ObservedJob.parse(
        {
            "metadata": {
                "name": "j",
                "uid": "u",
                "labels": {"kueue.x-k8s.io/queue-name": "default"},
                "annotations": {"transcription.dev/suspended": "true"},
            },
            "spec": {"suspend": True, "completions": 4, "parallelism": 4},
            "status": {"succeeded": 2},
        }
    )
    assert (seen.suspended, seen.suspended_by_us, seen.queue) == (True, True, "default")
    assert (seen.workers, seen.succeeded) == (4, 2)
