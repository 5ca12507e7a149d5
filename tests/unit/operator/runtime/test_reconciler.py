from typing import Any

import pytest

from tests.unit.operator.builders import NOW, UID, controlled_by, settings
from tests.unit.operator.policies.test_status import LAST_WORDS
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, NotFoundError
from transcription_operator.policies import names, refusals
from transcription_operator.policies.names import CONTAINER
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.progress import Reading
from transcription_operator.policies.queueing import Limits
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler


class PlayedCluster:
    """An API server that has these pods and takes every status.

    ``there``: the uid that the TranscriptionJob has there.
    """

    def __init__(self, *pods: dict[str, Any], there: str | None = UID) -> None:
        self.pods = list(pods)
        self.there = there
        self.statuses: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []
        self.refusal: ApiError | None = None
        self.deleted: list[str] = []
        self.asked_whether_it_ends = 0

    async def uid_of(self, *_: str) -> str | None:
        return self.there

    async def create_job(self, _: str, job: dict[str, Any]) -> dict[str, Any]:
        self.created.append(job)
        if self.refusal:
            raise self.refusal
        return child()

    async def pods_of(self, _: str, owner_uid: str) -> list[dict[str, Any]]:
        assert owner_uid == UID
        return self.pods

    async def is_ending(self, _: str) -> bool:
        self.asked_whether_it_ends += 1
        return True

    async def delete_job(self, _: str, name: str, __: str) -> None:
        self.deleted.append(name)

    async def change_job(self, *_: Any) -> dict[str, Any]:
        return child()

    async def patch_status(self, _: str, __: str, patch: dict[str, Any]) -> dict[str, Any]:
        if self.there is None:
            raise NotFoundError(404, "not found")
        self.statuses.append(patch["status"])
        return manifest(10) | {"status": patch["status"]}

    async def create_event(self, *_: Any) -> None:
        """Nobody reads it."""


def worker(phase: str, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{CHILD}-0-abcde", "namespace": "media",
            "annotations": {names.OWNER_NAME_ANNOTATION: "standup"},
            "ownerReferences": controlled_by("job-uid"),
        },
        "status": {
            "phase": phase, "containerStatuses": [{"name": CONTAINER, "state": state}],
        },
    }  # fmt: skip


RUNNING = worker("Running", {"running": {}})
DELIVERED = worker("Succeeded", {"terminated": {"exitCode": 0, "message": LAST_WORDS}})
REFUSED = worker("Failed", {"terminated": {"exitCode": 66}})


async def end_of(condition: str, there: dict[str, Any]) -> dict[str, Any]:
    """The status of a job whose Job has ended, while the watch of pods still says Running."""
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9))
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


GOING = {"deletionTimestamp": "2026-11-22T12:00:00Z"}
BROKEN = worker("Failed", {"terminated": {"exitCode": 69}})
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
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9))
    caches.put_job(child() | {"spec": spec, "status": status})
    metadata = pod["metadata"] | going
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(pod | {"metadata": metadata}))
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    assert (cluster.deleted, cluster.asked_whether_it_ends) == (deleted, asked)


async def visit(
    cluster: PlayedCluster, status: dict[str, Any] | None = None
) -> tuple[Caches, float | None]:
    """One visit to a TranscriptionJob without a Job; what is known after it, and its answer."""
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9) | {"status": status or {}})
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    return caches, await reconciler.reconcile("media/standup")


@pytest.mark.parametrize("there", [None, "another"], ids=["gone", "another of its name"])
async def test_no_job_is_made_for_what_was_deleted_unheard(there):
    cluster = PlayedCluster(there=there)
    caches, _ = await visit(cluster, {"phase": "Pending"})
    assert cluster.created == []
    assert caches.owners.all() == []


async def test_what_is_gone_when_its_first_status_is_written_is_not_visited_for_ever():
    caches, _ = await visit(PlayedCluster(there=None))
    assert caches.owners.all() == []


@pytest.mark.parametrize("status", [400, 403, 500, 503])
async def test_a_refusal_that_may_go_away_is_told_and_tried_again(status):
    cluster = PlayedCluster()
    cluster.refusal = ApiError(status, 'admission webhook "policy" failed')
    _, after = await visit(cluster)
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "JobRefused")
    assert "policy" in written["message"]
    assert after == refusals.AGAIN_SECONDS


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
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9, generation=2) | {"status": done})
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert written.pop("conditions")[0]["observedGeneration"] == 2
    assert written == {"observedGeneration": 2}


@pytest.mark.parametrize(
    ("job_uid", "percent"), [("job-uid", 72), ("old-job-uid", 0)], ids=["its own", "another's"]
)
async def test_progress_is_that_of_the_present_job(job_uid, percent):
    caches = Caches(Limits(), lambda _: None)
    caches.owners.put(manifest(9))
    caches.put_job(child())
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(RUNNING))
    reading = Reading(NOW, 26_000, 36_000)
    readings = {job_uid: (reading, reading)}
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), readings.get)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    (status,) = cluster.statuses
    assert status["progress"]["percent"] == percent
