from typing import Any

import pytest

from tests.unit.operator.builders import UID, parent, pod
from transcription_operator.policies import names
from transcription_operator.policies.admission import Limits
from transcription_operator.policies.observed import ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.owners import Parents

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
            "ownerReferences": [{"uid": owner, "controller": True}], **metadata,
        },
    }  # fmt: skip


def test_an_older_object_never_replaces_a_newer_one():
    parents = Parents()
    assert parents.put(manifest(9))
    assert not parents.put(manifest(8))
    assert not parents.put(manifest(9))
    assert parents.put(manifest(10))


def test_a_deletion_of_the_one_before_does_not_remove_the_one_that_has_its_name():
    parents = Parents()
    parents.put(manifest(9, uid="new"))
    assert not parents.remove(manifest(8, uid="old"))
    assert parents.get("media/standup") is not None
    assert parents.remove(manifest(12, uid="new"))
    assert parents.get("media/standup") is None


def test_what_is_on_no_list_is_dropped_unless_it_is_newer_than_the_list():
    parents = Parents()
    parents.put(manifest(9))
    assert not parents.drop("media/standup", 8)
    assert parents.drop("media/standup", 9)
    assert len(parents) == 0


def test_only_the_annotation_that_is_read_is_kept():
    parents = Parents()
    annotations = {"transcription.dev/retry": "1", "kubectl.kubernetes.io/x": "y" * 1000}
    parents.put(manifest(1, annotations=annotations, managedFields=[{}]))
    found = parents.raw("media/standup")
    assert found is not None
    assert found["metadata"]["annotations"] == {"transcription.dev/retry": "1"}
    assert "managedFields" not in found["metadata"]


def test_a_job_that_is_not_ours_or_on_its_way_out_is_not_taken_for_ours():
    caches = Caches(Limits(), lambda _: None)
    leaving = {"deletionTimestamp": "2026-11-22T12:00:00Z", "resourceVersion": "2"}
    for stranger in (child(owner="x"), child(**leaving)):
        caches.put_job(stranger)
        seen = caches.observe(parent())
        assert seen.leaving
        assert seen.job is None
    caches.put_job(child(resourceVersion="3"))
    assert caches.observe(parent()).job is not None


def test_the_end_of_one_job_frees_the_next_in_the_queue():
    freed: list[str] = []
    caches = Caches(Limits(in_all=1), freed.append)
    running = parent(name="first", status={"phase": "Running", "jobName": "j"})
    caches.settle("media/first", running)
    caches.settle("media/standup", parent())
    assert caches.observe(parent()).queued == 1
    caches.settle("media/first", parent(name="first", status={"phase": "Succeeded"}))
    assert freed == ["media/standup"]
    assert caches.observe(parent()).queued is None


def worker(**fields: Any) -> ObservedPod:
    return pod(**{"owner_uid": "job-uid", "ip": "10.0.0.1", "parent": "media/standup", **fields})


def watching(job: dict[str, Any], asked: ObservedPod) -> Caches:
    caches = Caches(Limits(), lambda _: None)
    caches.parents.put(manifest(9))
    caches.put_job(job)
    caches.pods.put(f"media/{asked.name}", asked)
    return caches


def test_running_pods_of_our_jobs_are_workers():
    assert list(watching(child(), worker()).workers()) == [("media/standup", worker())]


@pytest.mark.parametrize(
    "idle",
    [worker(running=False), worker(ip=None), worker(owner_uid=None), worker(owner_uid="other")],
    ids=["not running", "without an address", "labelled by hand", "of somebody else's Job"],
)
def test_pods_that_are_not_at_work_for_us_are_no_workers(idle):
    assert list(watching(child(), idle).workers()) == []


def test_pods_of_a_job_that_names_no_parent_of_ours_are_no_workers():
    assert list(watching(child(annotations={}), worker()).workers()) == []
    gone = watching(child(), worker())
    gone.parents.remove(manifest(9))
    assert list(gone.workers()) == []


def test_a_queue_is_known_in_whole_before_anybody_is_let_in():
    freed: list[str] = []
    caches = Caches(Limits(in_all=1), freed.append)
    running = {"phase": "Running", "jobName": "j"}
    caches.parents.put(manifest(9, uid="b") | {"status": running})
    caches.parents.put(manifest(8, uid="a", name="first"))
    caches.settle_all()
    assert caches.observe(parent(name="first")).queued == 1
    assert freed == []
