from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, owner
from tests.unit.operator.runtime.test_caches import CHILD, child
from tests.unit.operator.runtime.test_reconciler import RUNNING, PlayedCluster, worker
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.observer import Observer

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
