"""Electors against a Lease in memory, in a time of their own."""

import asyncio

import pytest

from tests.unit.kube.electors import DURATION, Candidate, Store, lease, now, scenario
from tests.unit.operator.builders import NOW
from tests.unit.virtual_time import run
from transcription_kube.lease import Record, Step, Timing, decide, held, released


@pytest.mark.parametrize(
    ("record", "unchanged_for", "step"),
    [
        (None, 0, Step.ACQUIRE),
        (lease(holder=""), 0, Step.ACQUIRE),
        (lease(holder=None), 0, Step.ACQUIRE),
        (Record({"metadata": {"resourceVersion": "1"}}), 0, Step.ACQUIRE),
        (lease(holder="me"), 0, Step.RENEW),
        (lease(holder="me"), 100, Step.RENEW),
        (lease(), 0, Step.WAIT),
        (lease(), 14.9, Step.WAIT),
        (lease(), 15, Step.ACQUIRE),
        (lease(duration=60), 15, Step.WAIT),
    ],
)
def test_a_lease_is_taken_when_it_is_free_or_was_not_renewed(record, unchanged_for, step):
    assert decide(record, "me", 100.0, 100.0 + unchanged_for) is step


def test_taking_over_counts_and_renewing_does_not():
    taken = held(lease(leaseTransitions=4, acquireTime="then"), "l", "me", 15, NOW)["spec"]
    assert taken["leaseTransitions"] == 5
    assert taken["acquireTime"] == taken["renewTime"] == "2026-11-22T12:00:00.000000Z"
    kept = held(lease("me", leaseTransitions=5, acquireTime="then"), "l", "me", 15, NOW)["spec"]
    assert (kept["leaseTransitions"], kept["acquireTime"]) == (5, "then")


def test_a_lease_that_is_written_keeps_what_others_put_into_it():
    theirs = lease()
    theirs.manifest["metadata"]["labels"] = {"team": "a"}
    for manifest in (held(theirs, "l", "me", 15, NOW), released(theirs)):
        assert manifest["metadata"] == theirs.manifest["metadata"]


def test_the_first_one_leads_for_as_long_as_it_lives():
    async def check(store, a, b):
        await asyncio.sleep(3600)
        assert a.works.is_set()
        assert not b.works.is_set()
        assert store.holder == "a"
        assert (a.elector.leads, b.elector.leads) == (True, False)
        assert (a.told, b.told) == ([True], [])

    scenario(check)


def test_electors_that_begin_at_once_agree_on_one():
    async def check(store, *candidates):
        await asyncio.sleep(60)
        assert [each.works.is_set() for each in candidates].count(True) == 1

    async def whole():
        store, active = Store(), set()
        candidates = [Candidate(store, f"c{i}", active) for i in range(5)]
        await check(store, *candidates)
        for each in candidates:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in candidates), return_exceptions=True)

    run(whole())


def test_a_clean_end_hands_over_at_once():
    async def check(store, a, b):
        a.stopping = 3.0
        begin = now()
        await a.stop()
        assert not a.active, "released before the work had ended"
        assert a.told == [True, False]
        await b.works.wait()
        assert now() - begin < 3.0 + 2 * Timing().retry
        assert store.lease["spec"]["leaseTransitions"] == 1

    scenario(check)


def test_a_killed_leader_is_followed_after_the_lease_has_run_out():
    async def check(store, a, b):
        begin = now()
        # As SIGKILL: it neither works nor releases, and the lease stays as it is.
        a.wire.cut = True
        a.task.cancel()
        await b.works.wait()
        assert DURATION - 3 <= now() - begin <= DURATION + 4

    scenario(check)
