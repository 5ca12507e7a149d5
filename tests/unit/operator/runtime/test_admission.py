from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, keep, owner, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster
from tests.unit.operator.runtime.test_caches import manifest
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.queueing import STUCK_AFTER
from transcription_operator.policies.slots import Limits
from transcription_operator.runtime.admission import Admission
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler

RUNNING = {"phase": "Running", "jobName": "j"}


def admission(
    caches: Caches, limits: Limits, on_admitted: Callable[[str], None] = lambda _: None
) -> Admission:
    return Admission(caches, limits, on_admitted, clock=lambda: NOW)


def named(job: TranscriptionJob, **metadata: str) -> TranscriptionJob:
    return job.model_copy(update={"metadata": job.metadata.model_copy(update=metadata)})


def test_without_limits_everybody_may_run():
    caches = Caches(lambda _: None)
    assert admission(caches, Limits()).admit("media/standup", owner()) is None


def test_the_end_of_one_job_admits_the_next_in_the_queue():
    admitted: list[str] = []
    queue = admission(Caches(lambda _: None), Limits(in_all=1), admitted.append)
    assert queue.admit("media/first", owner(RUNNING, name="first")) is None
    assert queue.admit("media/standup", owner()) == 1
    queue.admit("media/first", owner({"phase": "Succeeded"}, name="first"))
    assert admitted == ["media/standup"]
    assert queue.admit("media/standup", owner()) is None


def test_a_job_that_is_gone_frees_its_slot():
    admitted: list[str] = []
    queue = admission(Caches(lambda _: None), Limits(in_all=1), admitted.append)
    queue.admit("media/first", owner(name="first"))
    queue.admit("media/standup", owner())
    queue.admit("media/first", None)
    assert admitted == ["media/standup"]


async def test_all_jobs_are_known_before_any_is_admitted():
    admitted: list[str] = []
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(8, uid="a", name="first"))
    keep(caches.owners, manifest(9, uid="b") | {"status": RUNNING})
    queue = admission(caches, Limits(in_all=1), admitted.append)
    await queue.load()
    assert queue.admit("media/first", caches.owner("media/first")) == 1
    assert admitted == []


async def test_a_job_that_cannot_be_read_stops_nobody():
    caches = Caches(lambda _: None)
    unreadable = manifest(8, uid="a", name="first")
    unreadable["spec"]["decoding"] = {"mode": "streaming"}
    keep(caches.owners, unreadable)
    keep(caches.owners, manifest(9))
    queue = admission(caches, Limits(in_all=1))
    await queue.load()
    assert queue.admit("media/standup", caches.owner("media/standup")) is None


def test_stuck_jobs_of_one_namespace_do_not_block_another():
    caches = Caches(lambda _: None)
    let_go = (NOW - STUCK_AFTER).isoformat()
    pending = {"phase": "Pending", "reason": "Unschedulable", "jobName": "j", "activeSince": let_go}
    queue = admission(caches, Limits(in_all=1))
    queue.admit("media/first", owner(pending, name="first"))
    assert queue.admit("media/standup", owner()) == 1
    assert queue.admit("talks/talk", named(owner(), namespace="talks", name="talk")) is None


@pytest.mark.parametrize("moment", ["creation", "status"])
async def test_a_slot_is_taken_before_the_job_is_created_and_its_status_written(moment):
    """A job with a higher priority that arrives in between has to wait."""
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    queue = admission(caches, Limits(in_all=1))
    positions = []

    def arrive() -> None:
        vip = named(owner(priority=9), name="vip", uid="vip")
        positions.append(queue.admit("media/vip", vip))

    class Slow(PlayedCluster):
        async def create_job(self, namespace: str, job: dict[str, Any]) -> dict[str, Any]:
            if moment == "creation":
                arrive()
            return await super().create_job(namespace, job)

        async def patch_status(self, *arguments: Any) -> dict[str, Any]:
            if moment == "status":
                arrive()
            return await super().patch_status(*arguments)

    cluster = Slow()
    reconciler = Reconciler(
        cluster,  # type: ignore[arg-type]
        caches,
        settings(),
        lambda _: None,
        admit=queue.admit,
    )
    await reconciler.reconcile("media/standup")
    assert len(cluster.created) == 1
    assert positions == [1]
