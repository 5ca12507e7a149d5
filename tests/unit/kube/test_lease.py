"""Electors against a Lease in memory, in a time of their own."""

import asyncio
import copy
from contextlib import suppress

import pytest

from tests.unit.operator.builders import NOW
from tests.unit.virtual_time import run
from transcription_kube.errors import (
    ConflictError,
    LeadershipLostError,
    NotFoundError,
    UnreachableError,
)
from transcription_kube.lease import Elector, Record, Step, Timing, decide, held, released

DURATION = Timing().duration
DEADLINE = Timing().deadline


def lease(holder="a", duration=15, **spec):
    fields = {"holderIdentity": holder, "leaseDurationSeconds": duration, **spec}
    return Record({"metadata": {"name": "l", "resourceVersion": "7"}, "spec": fields})


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


class Store:
    """The API server's part: one Lease, and resourceVersions. ``down`` has it not answer at all."""

    def __init__(self):
        self.lease = None
        self.version = 0
        self.down = False

    def edit(self, **spec):
        self.version += 1
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        self.lease["spec"] |= spec

    @property
    def holder(self):
        return self.lease["spec"].get("holderIdentity") if self.lease else None

    async def request(self, method, path, *, body=None):
        assert path.startswith("/apis/coordination.k8s.io/v1/namespaces/system/leases")
        await asyncio.sleep(0.01)
        if self.down:
            await asyncio.Event().wait()
        if method == "POST":
            if self.lease:
                raise ConflictError(409, "exists")
            return self._store(body)
        if self.lease is None:
            raise NotFoundError(404, "none")
        if method == "PUT":
            if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                raise ConflictError(409, "changed")
            return self._store(body)
        return copy.deepcopy(self.lease)

    def _store(self, body):
        self.version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)


class Wire:
    """One elector's connection, which can be cut."""

    def __init__(self, store):
        self.store = store
        self.cut = False

    async def request(self, *arguments, **named):
        if self.cut:
            raise UnreachableError("no route to host")
        return await self.store.request(*arguments, **named)


class Candidate:
    """An elector with work that only watches how it goes."""

    def __init__(self, store, name, active):
        self.wire = Wire(store)
        self.active = active
        self.name = name
        self.works = asyncio.Event()
        self.told = []
        self.stopping = 0.0
        self.elector = Elector(self.wire, "system", "operator", name, changed=self.told.append)
        self.task = asyncio.create_task(self.elector.lead(self.work))

    async def work(self):
        self.active.add(self.name)
        assert len(self.active) == 1, f"at once: {self.active}"
        self.works.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.stopping)
            self.active.discard(self.name)
            self.works.clear()

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def now():
    return asyncio.get_running_loop().time()


def scenario(check, names=("a", "b")):
    """Run a check with a store and candidates that begin in order."""

    async def whole():
        store, active = Store(), set()
        candidates = []
        for name in names:
            candidates.append(Candidate(store, name, active))
            await asyncio.sleep(1)
        try:
            await check(store, *candidates)
        finally:
            for each in candidates:
                each.task.cancel()
            await asyncio.gather(*(each.task for each in candidates), return_exceptions=True)

    run(whole())


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


def test_a_leader_that_is_cut_off_stops_before_another_one_begins():
    async def check(store, a, b):
        a.wire.cut = True
        begin = now()
        with pytest.raises(LeadershipLostError, match="operator could not be renewed for 8 s"):
            await a.task
        assert now() - begin <= DEADLINE
        assert not a.active
        assert a.told == [True, False]
        await b.works.wait()
        assert store.holder == "b"

    scenario(check)


def test_a_server_that_swallows_requests_costs_the_leadership_too():
    async def check(store, a):
        store.down = True
        begin = now()
        with pytest.raises(LeadershipLostError):
            await a.task
        assert now() - begin <= DEADLINE + 0.1

    scenario(check, ["a"])


def test_a_short_trouble_costs_nothing():
    async def check(store, a):
        for _ in range(20):
            a.wire.cut = True
            await asyncio.sleep(5)
            a.wire.cut = False
            await asyncio.sleep(5)
        assert a.works.is_set()

    scenario(check, ["a"])


def test_a_leader_that_was_frozen_knows_that_it_leads_no_more():
    async def check(store, a, b):
        # b is elsewhere and goes on: while all of this loop stands still, it took the lease.
        asyncio.get_running_loop().skip(60)
        store.edit(holderIdentity="b", leaseTransitions=9)
        assert not a.elector.leads
        with pytest.raises(LeadershipLostError):
            await a.task
        assert store.holder == "b"
        assert store.lease["spec"]["leaseTransitions"] == 9

    scenario(check)


def test_a_leader_whose_lease_somebody_took_stops_at_once():
    async def check(store, a):
        begin = now()
        store.edit(holderIdentity="x")
        with pytest.raises(LeadershipLostError):
            await a.task
        assert now() - begin <= Timing().retry + 0.1
        assert store.holder == "x"

    scenario(check, ["a"])


def test_a_conflict_that_leaves_the_lease_ours_is_no_loss():
    async def check(store, a):
        for _ in range(50):
            store.edit(note="by kubectl")
            await asyncio.sleep(3)
        assert a.works.is_set()

    scenario(check, ["a"])


def test_a_deleted_lease_ends_the_leadership_since_anybody_may_take_it():
    async def check(store, a, b):
        store.lease = None
        with pytest.raises(LeadershipLostError):
            await a.task
        await b.works.wait()

    scenario(check)


def test_work_that_does_not_stop_leaves_the_lease_to_run_out():
    async def check(store, a):
        a.stopping = 1000
        await a.stop()
        assert store.holder == "a"
        a.active.clear()

    scenario(check, ["a"])


@pytest.mark.parametrize("error", [None, ValueError("broken")])
def test_the_end_of_the_work_is_the_end_of_the_leadership(error):
    async def whole():
        store = Store()
        elector = Elector(store, "system", "operator", "a")

        async def work():
            if error:
                raise error

        if error:
            with pytest.raises(ValueError, match="broken"):
                await elector.lead(work)
        else:
            await elector.lead(work)
        assert store.holder == ""
        assert not elector.leads

    run(whole())
