from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, controlled_by, keep, owner, settings
from tests.unit.operator.runtime.played_cluster import (
    DELIVERED,
    GOING,
    RUNNING,
    PlayedCluster,
    stage,
    worker,
)
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.observer import Observer
from transcription_operator.runtime.reconciler import Reconciler

WAITING = worker("Pending", {"waiting": {"reason": "ErrImagePull", "message": "no such image"}})
MINUTE_AGO = (NOW - timedelta(seconds=60)).isoformat()


async def observed(cached: dict[str, Any], there: dict[str, Any], deadline: int) -> Observation:
    """What is seen of a job that became active a minute ago, of which the cache has another pod
    than the API server."""
    caches = Caches(lambda _: None)
    caches.put_job(child(creationTimestamp=MINUTE_AGO))
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(cached))
    waiting = owner(pendingDeadlineSeconds=deadline, status={"activeSince": MINUTE_AGO})
    cluster = PlayedCluster(there)
    return await Observer(cluster, caches, lambda: NOW).observe(waiting)  # type: ignore[arg-type]


async def test_the_pods_are_listed_before_a_job_is_given_up_as_pending():
    seen = await observed(WAITING, RUNNING, deadline=60)
    assert [pod.running for pod in seen.pods] == [True]


async def test_the_cache_is_good_enough_before_that():
    seen = await observed(WAITING, RUNNING, deadline=61)
    assert [pod.running for pod in seen.pods] == [False]


class Nodes(PlayedCluster):
    """May not be asked about every node."""

    async def is_silent(self, node: str) -> bool | None:
        return {"silent": True, "well": False}.get(node)

    async def is_ending(self, _: str) -> bool:
        return False


@pytest.mark.parametrize("disruption", [None, "DeletionByTaintManager"], ids=["deleted", "evicted"])
async def test_the_nodes_of_overdue_pods_are_silent_well_or_unknown(disruption):
    caches = Caches(lambda _: None)
    caches.put_job(child())
    for number, node in enumerate(("silent", "well", "hidden")):
        pod = ObservedPod(
            name=f"p{number}", phase="Running", owner_uid="job-uid", node=node,
            disruption=disruption, deletion=NOW - timedelta(minutes=1),
        )  # fmt: skip
        caches.pods.put(f"media/{pod.name}", pod)
    seen = await Observer(Nodes(), caches, lambda: NOW).observe(owner())  # type: ignore[arg-type]
    assert (seen.silent_nodes, seen.unknown_nodes) == ({"silent"}, {"hidden"})


REFUSED = worker("Failed", {"terminated": {"exitCode": 66}})


async def end_of(condition: str, there: dict[str, Any]) -> dict[str, Any]:
    """The status of a job whose Job has ended, while the watch of pods still says Running."""
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    ended = {"type": condition, "status": "True", "reason": "X", "message": "the controller's"}
    caches.put_job(child() | {"status": {"conditions": [ended]}})
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(RUNNING))
    cluster = PlayedCluster(there)
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    (status,) = cluster.statuses
    return status


async def test_a_delivery_that_the_watch_has_yet_to_tell_of_is_in_the_result():
    status = await end_of("Complete", DELIVERED)
    assert status["phase"] == "Succeeded"
    assert status["result"]["audioSeconds"] == 1261


async def test_a_failure_that_the_watch_has_yet_to_tell_of_is_explained_by_its_pod():
    assert (await end_of("Failed", REFUSED))["reason"] == "SourceNotFound"


async def test_a_listed_pod_whose_controller_is_no_job_explains_nothing():
    metadata = DELIVERED["metadata"] | {
        "ownerReferences": controlled_by("job-uid", "ConfigMap", "v1")
    }
    status = await end_of("Complete", DELIVERED | {"metadata": metadata})
    assert status["phase"] == "Succeeded"
    assert "audioSeconds" not in status["result"]


async def test_each_node_is_looked_up_once_however_many_overdue_pods_it_has():
    cluster = PlayedCluster()
    cluster.ends = False
    caches, reconciler = stage(cluster)
    caches.put_job(child())
    for number in range(40):
        spec = {"nodeName": f"node-{number % 20}"}
        stuck = RUNNING | {"metadata": RUNNING["metadata"] | GOING, "spec": spec}
        caches.pods.put(f"media/pod-{number}", ObservedPod.parse(stuck))
    await reconciler.reconcile("media/standup")
    assert sorted(cluster.nodes) == sorted(f"node-{number}" for number in range(20))
    assert 1 < cluster.most_at_once <= 8
