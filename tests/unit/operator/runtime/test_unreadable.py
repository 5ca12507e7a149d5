"""Reconciling a TranscriptionJob whose spec cannot be read."""

from typing import Any

import pytest

from tests.unit.operator.builders import UID, keep, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster, stage
from tests.unit.operator.runtime.test_caches import manifest
from transcription_operator.policies import names
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler

NEW_MODE = {"decoding": {"mode": "streaming"}}
WORKED = {
    "phase": "Running", "attempt": 2, "jobName": "standup-1", "activeSince": "2026-11-22T12:00:00Z",
    "runningSince": "2026-11-22T12:00:00Z", "progress": {"percent": 40},
}  # fmt: skip


def changed(found: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """What the API server makes of a merge patch of first-level fields."""
    merged = {**found, **patch}
    return {key: value for key, value in merged.items() if value is not None}


async def unreadable(status: dict[str, Any], spec: dict[str, Any]) -> PlayedCluster:
    found = manifest(9, generation=3) | {"status": status}
    found["spec"].update(spec)
    caches = Caches(lambda _: None)
    keep(caches.owners, found)
    cluster = PlayedCluster()
    reconciler = Reconciler(cluster, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    assert await reconciler.reconcile("media/standup") is None
    return cluster


async def test_a_spec_that_cannot_be_read_is_a_failure_that_names_the_field_and_the_way_out():
    cluster = await unreadable({"observedGeneration": -1}, NEW_MODE)
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Failed", "SpecUnreadable")
    assert written["observedGeneration"] == 3
    assert "spec.decoding.mode" in written["message"]
    assert "upgrade the operator" in written["message"]
    true = {each["type"] for each in written["conditions"] if each["status"] == "True"}
    assert true == {"Failed", "Stalled"}
    assert "completionTime" not in written
    assert [(each["type"], each["reason"]) for each in cluster.events] == [
        ("Warning", "SpecUnreadable")
    ]
    assert cluster.created == cluster.deleted == []


async def test_what_a_newer_operator_has_written_stays_when_the_spec_cannot_be_read():
    (written,) = (await unreadable({**WORKED, "cost": {"cents": 3}}, NEW_MODE)).statuses
    assert written.keys() == {"phase", "reason", "message", "conditions", "observedGeneration"}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_a_job_that_ended_before_its_spec_could_not_be_read_stays_as_it_is(phase):
    assert (await unreadable({"phase": phase, "reason": "X"}, NEW_MODE)).statuses == []


async def test_a_failure_to_read_a_spec_is_written_once():
    (written,) = (await unreadable(WORKED, NEW_MODE)).statuses
    assert (await unreadable(changed(WORKED, written), NEW_MODE)).statuses == []


async def test_a_job_continues_when_its_spec_can_be_read_again():
    (written,) = (await unreadable(WORKED, NEW_MODE)).statuses
    cluster = PlayedCluster()
    _, reconciler = stage(cluster, changed(WORKED, written))
    again = await reconciler.reconcile("media/standup")
    assert len(cluster.created) == 1
    assert cluster.created[0]["metadata"]["name"] == names.child_name("standup", UID, 2)
    (after,) = cluster.statuses
    assert (after["phase"], after["reason"]) == ("Running", "WorkerRestarting")
    assert again
