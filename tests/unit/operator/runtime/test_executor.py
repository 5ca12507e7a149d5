from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, UID, controlled_by, keep, settings
from tests.unit.operator.runtime.played_cluster import GOING, RUNNING, PlayedCluster, stage
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, ConflictError
from transcription_operator.policies import names
from transcription_operator.policies.names import CONTAINER
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler
from transcription_operator.settings import JobLimits

POD = f"{CHILD}-0-abcde"
OVER = {
    "phase": "Failed", "completionTime": "2026-11-22T11:00:00Z", "observedGeneration": 1,
}  # fmt: skip
EXPIRING = {"ttlSecondsAfterFinished": 60}


class Deletable(PlayedCluster):
    """Has one TranscriptionJob, of the resourceVersion that ``there`` has."""

    def __init__(self, there: dict[str, Any]) -> None:
        super().__init__()
        self.job = there
        self.preconditions: list[tuple[str, str]] = []

    async def delete_transcription_job(self, _: str, __: str, uid: str, version: str) -> None:
        self.preconditions.append((uid, version))
        if version != self.job["metadata"]["resourceVersion"]:
            raise ConflictError(409, "the resourceVersion is another one")

    async def get_transcription_job(self, *_: str) -> dict[str, Any]:
        return self.job


def over(version: int, **metadata: Any) -> dict[str, Any]:
    there = manifest(version, **metadata) | {"status": OVER}
    return there | {"spec": there["spec"] | EXPIRING}


def reconciler_of(cluster: PlayedCluster, caches: Caches) -> Reconciler:
    return Reconciler(cluster, caches, settings(), lambda _: None, clock=lambda: NOW)  # type: ignore[arg-type]


async def test_what_has_expired_is_deleted_as_it_was_observed():
    cluster, caches = Deletable(over(9)), Caches(lambda _: None)
    keep(caches.owners, over(9))
    assert await reconciler_of(cluster, caches).reconcile("media/standup") is None
    assert cluster.preconditions == [(UID, "9")]


async def test_a_retry_that_no_watch_has_told_of_survives_the_ttl():
    retried = over(12, annotations={"transcription.dev/retry": "1"})
    cluster, caches = Deletable(retried), Caches(lambda _: None)
    keep(caches.owners, over(9))
    reconciler = reconciler_of(cluster, caches)
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    await reconciler.reconcile("media/standup")
    assert cluster.preconditions == [(UID, "9")]
    assert cluster.statuses[0]["reason"] == "Retrying"


class Scalable(PlayedCluster):
    """Has a Job of four workers, and notes its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[dict[str, Any]] = []

    async def change_job(self, *change: Any) -> dict[str, Any]:
        self.changes.append(change[3])
        return child(resourceVersion="2") | {"spec": change[3]}


@pytest.mark.parametrize(
    ("workers", "changes", "message"),
    [
        (5, [{"completions": 5, "parallelism": 5}], "pods to start"),
        (6, [], "; spec.workers is not followed: workers is 6, but the operator's settings allow"),
        (3, [{"completions": 3, "parallelism": 3}], "pods to start"),
    ],
    ids=["as many as allowed", "more", "fewer"],
)
async def test_the_number_of_workers_grows_up_to_what_the_settings_allow(workers, changes, message):
    cluster, caches = Scalable(), Caches(lambda _: None)
    keep(caches.owners, manifest(9) | {"spec": manifest(9)["spec"] | {"workers": workers}})
    caches.put_job(child() | {"spec": {"completions": 4, "parallelism": 4}})
    given = settings(limits=JobLimits(max_workers=5))
    reconciler = Reconciler(cluster, caches, given, lambda _: None, clock=lambda: NOW)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    assert cluster.changes == changes
    (status,) = cluster.statuses
    assert (status["phase"], status["reason"]) == ("Pending", "WorkersStarting")
    assert message in status["message"]


async def test_a_job_with_too_many_workers_is_suspended_and_resumed_like_any_other():
    cluster, caches = Scalable(), Caches(lambda _: None)
    keep(
        caches.owners, manifest(9) | {"spec": manifest(9)["spec"] | {"workers": 6, "suspend": True}}
    )
    caches.put_job(child() | {"spec": {"completions": 4, "parallelism": 4}})
    given = settings(limits=JobLimits(max_workers=5))
    reconciler = Reconciler(cluster, caches, given, lambda _: None, clock=lambda: NOW)  # type: ignore[arg-type]
    await reconciler.reconcile("media/standup")
    assert cluster.changes == [{"suspend": True}]


class WithProxies(PlayedCluster):
    """Takes the final phase of a pod, unless that is forbidden."""

    def __init__(self, there: dict[str, Any], *, forbidden: bool = False) -> None:
        super().__init__(there)
        self.forbidden = forbidden
        self.written: list[dict[str, Any]] = []

    async def end_pod(
        self, _: str, name: str, status: dict[str, Any], *, told: bool
    ) -> dict[str, Any]:
        assert (name, told) == (POD, True)
        self.written.append(status)
        if self.forbidden:
            raise ApiError(403, "pods/status is forbidden")
        (pod,) = self.pods
        metadata = pod["metadata"] | {"resourceVersion": "20"}
        return pod | {"metadata": metadata, "status": pod["status"] | status}


def beside_a_proxy(exit_code: int, seconds: int) -> dict[str, Any]:
    ended = (NOW - timedelta(seconds=seconds)).isoformat()
    return {
        "metadata": {
            "name": POD, "namespace": "media", "resourceVersion": "5",
            "annotations": {names.OWNER_NAME_ANNOTATION: "standup"},
            "ownerReferences": controlled_by("job-uid"),
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": CONTAINER,
                 "state": {"terminated": {"exitCode": exit_code, "finishedAt": ended}}},
                {"name": "istio-proxy", "state": {"running": {}}},
            ],
        },
    }  # fmt: skip


async def ended_by(cluster: WithProxies) -> Caches:
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    caches.put_job(child() | {"spec": {"completions": 1, "parallelism": 1}})
    caches.pods.put(f"media/{POD}", ObservedPod.parse(cluster.pods[0]))
    await reconciler_of(cluster, caches).reconcile("media/standup")
    return caches


@pytest.mark.parametrize(
    ("exit_code", "written", "phase"),
    [(0, "Succeeded", "Succeeded"), (65, "Failed", "Running"), (69, "Failed", "Running")],
    ids=["delivered", "failed for good: the Job says so next", "to be tried again by the Job"],
)
async def test_a_pod_beside_a_proxy_gets_the_phase_of_its_worker(exit_code, written, phase):
    cluster = WithProxies(beside_a_proxy(exit_code, 16))
    caches = await ended_by(cluster)
    assert [each["phase"] for each in cluster.written] == [written]
    assert "istio-proxy" in cluster.written[0]["message"]
    assert "reason" not in cluster.written[0]
    known = caches.pods.get(f"media/{POD}")
    assert known is not None
    assert known.phase == written
    assert cluster.statuses[0]["phase"] == phase


@pytest.mark.parametrize(
    ("exit_code", "phase"), [(0, "Succeeded"), (65, "Failed")], ids=["delivered", "failed for good"]
)
async def test_a_job_ends_also_where_the_operator_may_not_end_its_pod(exit_code, phase):
    cluster = WithProxies(beside_a_proxy(exit_code, 46), forbidden=True)
    caches = await ended_by(cluster)
    assert cluster.statuses[0]["phase"] == phase
    await reconciler_of(cluster, caches).reconcile("media/standup")
    assert cluster.deleted == [CHILD]


async def test_pods_on_lost_nodes_are_left_where_the_role_does_not_let_us_release_them():
    cluster = PlayedCluster()
    cluster.may_release = cluster.ends = False
    caches, reconciler = stage(cluster)
    caches.put_job(child())
    for number in range(3):
        stuck = RUNNING | {"metadata": RUNNING["metadata"] | GOING, "spec": {"nodeName": "lost"}}
        caches.pods.put(f"media/pod-{number}", ObservedPod.parse(stuck))
    await reconciler.reconcile("media/standup")
    assert cluster.releases == 2, "one try of each kind"
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


async def test_a_job_that_ended_before_any_watch_told_of_it_is_explained_by_its_pod():
    """Created, though the answer was lost; the next try finds it, and its pod has failed."""
    failed = beside_a_proxy(66, 1)
    failed["status"] |= {"phase": "Failed"}
    cluster, caches = PlayedCluster(failed), Caches(lambda _: None)
    cluster.failure = ConflictError(409, f'jobs.batch "{CHILD}" already exists')
    condition = {"type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "x"}
    cluster.job = child() | {"status": {"conditions": [condition]}}
    keep(caches.owners, manifest(9))
    reconciler = reconciler_of(cluster, caches)
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    await reconciler.reconcile("media/standup")
    assert [status["reason"] for status in cluster.statuses] == ["SourceNotFound"]


async def test_a_pod_that_a_policy_protects_does_not_keep_the_status_nor_other_pods_from_writes():
    class Guarded(PlayedCluster):
        async def mark_deleted(self, _: str, name: str) -> None:
            self.releases += 1
            if name == "pod-0":
                denial = "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no"
                raise ApiError(422, f'pods "{name}" is forbidden: {denial}')

    cluster = Guarded()
    cluster.ends = False
    caches, reconciler = stage(cluster)
    caches.put_job(child())
    for number in range(2):
        metadata = RUNNING["metadata"] | GOING | {"name": f"pod-{number}"}
        caches.pods.put(f"media/pod-{number}", ObservedPod.parse(RUNNING | {"metadata": metadata}))
    for _ in range(2):
        await reconciler.reconcile("media/standup")
    assert cluster.statuses
    assert cluster.releases >= 2
