import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, UID, controlled_by, keep, settings
from tests.unit.operator.policies.test_status import LAST_WORDS
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, ConflictError, NotFoundError
from transcription_operator.policies import names
from transcription_operator.policies.names import CONTAINER
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.progress import Reading
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
        self.conflict: ApiError | None = None
        self.job = child()
        self.gets = 0
        self.deleted: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.asked_whether_it_ends = 0
        self.ends = True
        self.nodes: list[str] = []
        self.at_once = self.most_at_once = self.releases = 0
        self.may_release = True

    async def get_transcription_job(self, *_: str) -> dict[str, Any] | None:
        self.gets += 1
        return manifest(11, uid=self.there) if self.there else None

    async def get_job(self, *_: str) -> dict[str, Any]:
        return self.job

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
        return self.ends

    async def is_silent(self, node: str) -> bool:
        self.nodes.append(node)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return True

    async def end_pod(self, *_: Any) -> None:
        self.releases += 1
        if not self.may_release:
            raise ApiError(403, "pods/status is forbidden")

    async def delete_job(self, _: str, name: str, __: str) -> None:
        self.deleted.append(name)

    async def change_job(self, *_: Any) -> dict[str, Any]:
        return child()

    async def patch_status(self, _: str, __: str, patch: dict[str, Any]) -> dict[str, Any]:
        if self.there is None:
            raise NotFoundError(404, "not found")
        if self.conflict:
            raise self.conflict
        self.statuses.append(patch["status"])
        return manifest(10) | {"status": patch["status"]}

    async def create_event(self, _: str, event: dict[str, Any]) -> None:
        self.events.append(event)

    async def patch_event(self, *_: Any) -> bool:
        return True


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
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    caches.put_job(child() | {"spec": spec, "status": status})
    metadata = pod["metadata"] | going
    caches.pods.put(f"media/{CHILD}-0-abcde", ObservedPod.parse(pod | {"metadata": metadata}))
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    assert (cluster.deleted, cluster.asked_whether_it_ends) == (deleted, asked)


def stage(
    cluster: PlayedCluster, status: dict[str, Any] | None = None, **changes: Any
) -> tuple[Caches, Reconciler]:
    """A TranscriptionJob without a Job; ``changes`` are those of the settings."""
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9) | {"status": status or {}})
    stated = settings(**changes)
    return caches, Reconciler(cluster, caches, stated, lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("there", [None, "another"], ids=["gone", "another of its name"])
async def test_no_job_is_made_for_what_was_deleted_unheard(there):
    cluster = PlayedCluster(there=there)
    caches, reconciler = stage(cluster, {"phase": "Pending"})
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    assert cluster.created == []
    assert caches.owners.all() == []


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


NEEDS_TEAM = (
    f"jobs.batch \"{CHILD}\" is forbidden: ValidatingAdmissionPolicy 'team' with binding 'team' "
    "denied request: pods need the label team"
)
DENIED = 'admission webhook "policy.example" denied the request: no'
REFUSALS = [
    ("by a quota", ApiError(403, f'jobs.batch "{CHILD}" is forbidden: exceeded quota: jobs')),
    ("by a policy", ApiError(422, NEEDS_TEAM)),
    ("by a webhook", ApiError(400, DENIED)),
    ("by a webhook, as invalid", ApiError(422, f'{DENIED}: Job "x" is invalid: spec')),
    ("by a webhook, as a conflict", ConflictError(409, DENIED)),
    ("by a webhook, as not found", NotFoundError(404, DENIED)),
    ("for a webhook that does not answer", ApiError(500, "failed calling webhook: timeout")),
    ("by a server in trouble", ApiError(503, "etcd has no leader")),
]


@pytest.mark.parametrize("refusal", [r[1] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
async def test_a_refusal_that_may_go_away_is_shown_and_tried_again(refusal):
    cluster = PlayedCluster()
    cluster.refusal = refusal
    _, reconciler = stage(cluster)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "JobRefused")
    assert written["message"] == refusal.message
    assert after == pytest.approx(15, abs=1)


async def test_a_job_that_the_api_server_finds_invalid_fails():
    cluster = PlayedCluster()
    words = f'Job.batch "{CHILD}" is invalid: spec.template.spec.nodeSelector: Invalid value'
    cluster.refusal = ApiError(422, words)
    _, reconciler = stage(cluster)
    await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Failed", "ConfigurationInvalid")
    assert words in written["message"]


async def test_a_refused_creation_is_not_tried_again_before_its_time_nor_the_job_read_before_it():
    cluster, now = PlayedCluster(), [NOW]
    cluster.refusal = ApiError(403, "exceeded quota: jobs")
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9, generation=1))
    reconciler = Reconciler(
        cluster,  # type: ignore[arg-type]
        caches,
        settings(),
        lambda _: None,
        clock=lambda: now[0],
    )
    assert await reconciler.reconcile("media/standup") == 15
    now[0] += timedelta(seconds=5)
    assert await reconciler.reconcile("media/standup") == 10
    assert len(cluster.created) == 1
    now[0] += timedelta(seconds=10)
    assert await reconciler.reconcile("media/standup") == 30
    assert (len(cluster.created), cluster.gets) == (2, 0)
    keep(caches.owners, manifest(99, generation=2))
    assert await reconciler.reconcile("media/standup") == 15
    assert len(cluster.created) == 3


@pytest.mark.parametrize("is_cached", [False, True], ids=["without our label", "with our label"])
async def test_a_foreign_job_of_the_childs_name_is_named_with_what_to_do(is_cached):
    cluster = PlayedCluster()
    cluster.refusal = ConflictError(409, f'jobs.batch "{CHILD}" already exists')
    cluster.job = child(owner="somebody-else")
    caches, reconciler = stage(cluster)
    if is_cached:
        caches.put_job(cluster.job)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "NameTaken")
    assert f"kubectl delete job -n media {CHILD}" in written["message"]
    assert after == pytest.approx(300 if is_cached else 15, abs=1)


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


async def test_pods_on_lost_nodes_are_left_where_the_role_does_not_let_us_release_them():
    cluster = PlayedCluster()
    cluster.may_release = cluster.ends = False
    caches, reconciler = stage(cluster)
    caches.put_job(child())
    for number in range(3):
        stuck = RUNNING | {"metadata": RUNNING["metadata"] | GOING, "spec": {"nodeName": "lost"}}
        caches.pods.put(f"media/pod-{number}", ObservedPod.parse(stuck))
    await reconciler.reconcile("media/standup")
    assert cluster.releases == 1
    assert cluster.statuses


async def test_without_lost_nodes_in_the_settings_no_node_is_read_and_no_pod_is_released():
    cluster = PlayedCluster()
    cluster.ends = False
    caches, reconciler = stage(cluster, lost_nodes=False)
    caches.put_job(child())
    stuck = RUNNING | {"metadata": RUNNING["metadata"] | GOING, "spec": {"nodeName": "lost"}}
    caches.pods.put("media/pod", ObservedPod.parse(stuck))
    await reconciler.reconcile("media/standup")
    assert (cluster.nodes, cluster.releases) == ([], 0)
    assert cluster.statuses


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
