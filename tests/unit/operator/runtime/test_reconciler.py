import pytest

from tests.unit.operator.builders import NOW, keep, settings
from tests.unit.operator.runtime.played_cluster import (
    BROKEN,
    DELIVERED,
    GOING,
    RUNNING,
    PlayedCluster,
)
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.progress import Reading
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler

ENDS = [
    ("at work", {}, {}, RUNNING, GOING, [CHILD], 1),
    ("suspended, a worker has failed", {"suspend": True}, {}, BROKEN, GOING, [CHILD], 1),
    ("it is over", {}, {"conditions": [{"type": "Complete", "status": "True"}]}, DELIVERED, GOING,
     [], 0),
    ("nobody deletes anything", {}, {}, RUNNING, {}, [], 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "status", "pod", "going", "deleted", "asked"),
    [e[1:] for e in ENDS],
    ids=[e[0] for e in ENDS],
)
async def test_a_job_is_deleted_where_its_namespace_ends(spec, status, pod, going, deleted, asked):
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    caches.put_job(child() | {"spec": spec, "status": status})
    metadata = pod["metadata"] | going
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(pod | {"metadata": metadata}))
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    assert (cluster.deleted, cluster.asked_whether_it_ends) == (deleted, asked)


@pytest.mark.parametrize(
    ("job_uid", "percent"), [("job-uid", 72), ("old-job-uid", 0)], ids=["its own", "another's"]
)
async def test_progress_is_that_of_the_present_job(job_uid, percent):
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    caches.put_job(child())
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(RUNNING))
    reading = Reading(NOW, 26_000, 36_000)
    readings = {job_uid: (reading, reading)}
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), readings.get)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    (status,) = cluster.statuses
    assert status["progress"]["percent"] == percent
