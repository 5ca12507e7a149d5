from typing import Any

import pytest

from tests.unit.operator.builders import UID, controlled_by, keep, lose, owner, pod
from transcription_api import API_VERSION, KIND
from transcription_operator.policies import names
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.caches import Caches, RunningJob
from transcription_operator.runtime.owners import Owners

CHILD = names.child_name("standup", UID, 1)


def manifest(version: int, uid: str = UID, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "standup", "namespace": "media", "uid": uid,
            "resourceVersion": str(version), **metadata,
        },
        "spec": {"source": {"uri": "s3://recordings/standup.mp3"}, "output": {"uri": "s3://transcripts/standup/"}},
    }  # fmt: skip


def child(owner: str = UID, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": CHILD, "namespace": "media", "uid": "job-uid", "resourceVersion": "1",
            "annotations": {names.OWNER_NAME_ANNOTATION: "standup"},
            "ownerReferences": controlled_by(owner, KIND, API_VERSION), **metadata,
        },
    }  # fmt: skip


def test_what_is_gone_is_dropped_unless_a_newer_one_is_known():
    owners = Owners()
    keep(owners, manifest(9))
    owners.drop("media/standup", 8)
    assert len(owners) == 1
    owners.drop("media/standup", 9)
    assert len(owners) == 0


def test_only_the_annotation_that_is_read_is_kept():
    owners = Owners()
    annotations = {"transcription.dev/retry": "1", "kubectl.kubernetes.io/x": "y" * 1000}
    keep(owners, manifest(1, annotations=annotations, managedFields=[{}]))
    found = owners.raw("media/standup")
    assert found is not None
    assert found["metadata"]["annotations"] == {"transcription.dev/retry": "1"}
    assert "managedFields" not in found["metadata"]


def test_a_job_that_is_not_ours_or_on_its_way_out_is_not_taken_for_ours():
    caches = Caches(lambda _: None)
    caches.put_job(child(owner="x"))
    seen = caches.observe(owner())
    assert seen.job is None
    assert seen.refused is not None
    caches.put_job(child(deletionTimestamp="2026-11-22T12:00:00Z", resourceVersion="2"))
    seen = caches.observe(owner())
    assert seen.job is None
    assert seen.leaving
    caches.put_job(child(resourceVersion="3"))
    assert caches.observe(owner()).job is not None


def worker(**fields: Any) -> ObservedPod:
    return pod(**{"owner_uid": "job-uid", "ip": "10.0.0.1", "owner": "media/standup", **fields})


def watching(job: dict[str, Any], asked: ObservedPod) -> Caches:
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    caches.put_job(job)
    caches.pods.put(f"media/{asked.name}", asked)
    return caches


WORKERS = RunningJob("job-uid", "media/standup", (worker(),))


def test_running_pods_of_our_jobs_are_workers():
    assert list(watching(child(), worker()).workers()) == [WORKERS]


@pytest.mark.parametrize(
    "idle",
    [worker(running=False), worker(ip=None), worker(owner_uid=None), worker(owner_uid="other")],
    ids=["not running", "without an address", "labelled by hand", "of somebody else's Job"],
)
def test_pods_that_are_not_at_work_for_us_are_no_workers(idle):
    assert list(watching(child(), idle).workers()) == []


def test_a_pod_in_another_namespace_that_names_the_job_as_its_owner_counts_for_nothing():
    caches = watching(child(), worker())
    caches.pods.put("evil/forged", worker(name="forged"))
    assert caches.observe(owner()).pods == (worker(),)
    assert list(caches.workers()) == [WORKERS]


def test_pods_of_a_job_without_an_owner_are_no_workers():
    assert list(watching(child(annotations={}), worker()).workers()) == []
    gone = watching(child(), worker())
    lose(gone.owners)
    assert list(gone.workers()) == []


@pytest.mark.parametrize("uid", ["old", None], ids=["a deleted one", "none of ours"])
def test_pods_of_a_job_of_another_owner_of_that_name_are_no_workers(uid):
    references = controlled_by(uid, KIND, API_VERSION) if uid else []
    assert list(watching(child(ownerReferences=references), worker()).workers()) == []


def test_an_answer_about_a_job_that_was_deleted_meanwhile_does_not_bring_it_back():
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(8, name="first"))
    lose(caches.owners, "media/first")
    running = {"phase": "Running", "jobName": "j"}
    caches.put_owner(manifest(9, name="first") | {"status": running})
    assert not caches.owners.knows("media/first")


ODD = [
    ("a phase that is no word", {"phase": ["Running"]}),
    ("a time that is none", {"phase": "Queued", "activeSince": "soon"}),
    ("a condition without a type", {"conditions": [{"status": "True"}]}),
]


@pytest.mark.parametrize("status", [o[1] for o in ODD], ids=[o[0] for o in ODD])
def test_an_object_of_an_odd_status_is_kept_and_can_be_read(status):
    owners = Owners()
    keep(owners, manifest(9) | {"status": status})
    assert owners.get("media/standup") is not None
    assert owners.since("media/standup") is not None


def test_an_object_without_a_spec_is_kept():
    owners = Owners()
    found = manifest(9)
    del found["spec"]
    keep(owners, found)
    assert owners.get("media/standup") is not None
