import asyncio

import pytest

from tests.unit.kube.electors import DEADLINE, Store, now, scenario
from tests.unit.virtual_time import run
from transcription_kube.errors import (
    LeadershipLostError,
)
from transcription_kube.lease import Elector, Timing


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
