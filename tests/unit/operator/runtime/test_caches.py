from typing import Any

import pytest

from tests.unit.operator.builders import UID, controlled_by, owner, pod
from transcription_api import API_VERSION, KIND
from transcription_operator.policies import names
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.queueing import Limits
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


def test_an_older_object_never_replaces_a_newer_one():
    owners = Owners()
    assert owners.put(manifest(9))
    assert not owners.put(manifest(8))
    assert not owners.put(manifest(9))
    assert owners.put(manifest(10))


def test_a_deletion_of_the_one_before_does_not_remove_the_one_that_has_its_name():
    owners = Owners()
    owners.put(manifest(9, uid="new"))
    assert not owners.remove(manifest(8, uid="old"))
    assert owners.get("media/standup") is not None
    assert owners.remove(manifest(12, uid="new"))
    assert owners.get("media/standup") is None


def test_what_is_on_no_list_is_dropped_unless_it_is_newer_than_the_list():
    owners = Owners()
    owners.put(manifest(9))
    assert not owners.drop("media/standup", 8)
    assert owners.drop("media/standup", 9)
    assert len(owners) == 0


def test_only_the_annotation_that_is_read_is_kept():
    owners = Owners()
    annotations = {"transcription.dev/retry": "1", "kubectl.kubernetes.io/x": "y" * 1000}
    owners.put(manifest(1, annotations=annotations, managedFields=[{}]))
    found = owners.raw("media/standup")
    assert found is not None
    assert found["metadata"]["annotations"] == {"transcription.dev/retry": "1"}
    assert "managedFields" not in found["metadata"]


def test_a_job_that_is_not_ours_or_on_its_way_out_is_not_taken_for_ours():
    caches = Caches(Limits(), lambda _: None)
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


def test_the_end_of_one_job_frees_the_next_in_the_queue():
    freed: list[str] = []
    caches = Caches(Limits(in_all=1), freed.append)
    running = owner(name="first", status={"phase": "Running", "jobName": "j"})
    caches.update_queue("media/first", running)
    caches.update_queue("media/standup", owner())
    assert caches.observe(owner()).queued == 1
    caches.update_queue("media/first", owner(name="first", status={"phase": "Succeeded"}))
    assert freed == ["media/standup"]
    assert caches.observe(owner()).queued is None


def worker(**fields: Any) -> ObservedPod:
    return pod(**{"owner_uid": "job-uid", "ip": "10.0.0.1", "owner": "media/standup", **fields})


def watching(job: dict[str, Any], asked: ObservedPod) -> Caches:
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9))
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
    gone.owners.remove(manifest(9))
    assert list(gone.workers()) == []


@pytest.mark.parametrize("uid", ["old", None], ids=["a deleted one", "none of ours"])
def test_pods_of_a_job_of_another_owner_of_that_name_are_no_workers(uid):
    references = controlled_by(uid, KIND, API_VERSION) if uid else []
    assert list(watching(child(ownerReferences=references), worker()).workers()) == []


def test_a_queue_is_known_in_whole_before_anybody_is_let_in():
    freed: list[str] = []
    caches = Caches(Limits(in_all=1), freed.append)
    running = {"phase": "Running", "jobName": "j"}
    caches.owners.put(manifest(9, uid="b") | {"status": running})
    caches.owners.put(manifest(8, uid="a", name="first"))
    caches.update_queue_of_all()
    assert caches.observe(owner(name="first")).queued == 1
    assert freed == []


def test_a_job_that_kueue_put_into_a_queue_takes_no_place_in_the_operators():
    caches = Caches(Limits(in_all=1), lambda _: None)
    labels = {names.QUEUE_LABEL: "default"}
    caches.put_job(child(labels=labels) | {"spec": {"suspend": True}})
    caches.update_queue(
        "media/first", owner(name="first", status={"phase": "Running", "jobName": "j"})
    )
    caches.update_queue("media/standup", owner())
    assert caches.observe(owner()).queued is None
