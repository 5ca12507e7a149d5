import pytest

from tests.unit.operator.builders import keep, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster, stage
from tests.unit.operator.runtime.test_caches import manifest
from transcription_kube.errors import ConflictError
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler


async def test_what_is_gone_when_its_first_status_is_written_is_not_visited_for_ever():
    caches, reconciler = stage(PlayedCluster(there=None))
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    assert caches.owners.all() == []


async def test_a_conflict_on_the_status_is_resolved_by_reading_the_job():
    cluster = PlayedCluster()
    cluster.conflict = ConflictError(409, "the object has been modified")
    caches, reconciler = stage(cluster)
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    kept = caches.owner("media/standup")
    assert kept is not None
    assert (cluster.gets, kept.metadata.resource_version) == (1, "11")


async def test_a_change_to_a_finished_job_is_seen_once_and_changes_nothing():
    conditions = [
        {
            "type": "Complete", "status": "True", "reason": "Delivered", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-22T12:00:00Z",
        }
    ]  # fmt: skip
    done = {
        "phase": "Succeeded", "observedGeneration": 1, "conditions": conditions, "failures": [],
    }  # fmt: skip
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9, generation=2) | {"status": done})
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert written.pop("conditions")[0]["observedGeneration"] == 2
    assert written == {"observedGeneration": 2}
