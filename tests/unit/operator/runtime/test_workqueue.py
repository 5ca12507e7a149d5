import asyncio
import contextvars
from collections import Counter
from contextlib import asynccontextmanager, suppress

import pytest

from tests.unit.virtual_time import run
from transcription_kube.errors import ApiError, ConflictError
from transcription_operator.runtime.workqueue import Unobserved, WorkQueue


@asynccontextmanager
async def running(handle):
    queue = WorkQueue(handle, workers=3)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_key_added_many_times_before_its_turn_is_worked_on_once():
    seen, done = [], asyncio.Event()

    async def handle(key):
        seen.append(key)
        if key == "last":
            done.set()

    async with running(handle) as queue:
        for key in ["a", "a", "a", "last"]:
            queue.add(key)
        await asyncio.wait_for(done.wait(), 5)
    assert sorted(seen) == ["a", "last"]


async def test_a_key_is_never_worked_on_twice_at_once_and_nothing_is_lost():
    at_once, most, visits = 0, 0, 0
    inside, release, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_key):
        nonlocal at_once, most, visits
        visits, at_once = visits + 1, at_once + 1
        most = max(most, at_once)
        inside.set()
        await release.wait()
        at_once -= 1
        if visits == 2:
            again.set()

    async with running(handle) as queue:
        queue.add("a")
        await inside.wait()
        queue.add("a")
        release.set()
        await asyncio.wait_for(again.wait(), 5)
    assert (most, visits) == (1, 2)


async def test_a_visit_that_raises_is_repeated():
    visits, done = 0, asyncio.Event()

    async def handle(_key):
        nonlocal visits
        visits += 1
        if visits < 3:
            raise RuntimeError("the API server is away")
        done.set()

    async with running(handle) as queue:
        queue.add("a")
        await asyncio.wait_for(done.wait(), 5)
    assert visits == 3


async def test_a_key_that_has_failed_for_days_is_still_tried(monkeypatch):
    """Its backoff once overflowed a float after 17 hours, and took every worker with it."""
    monkeypatch.setattr("transcription_operator.runtime.workqueue._LONGEST_BACKOFF", 0.0)
    visits, done = 0, asyncio.Event()

    async def handle(_key):
        nonlocal visits
        visits += 1
        if visits > 1100:
            done.set()
            return
        raise RuntimeError("the API server is away")

    async with running(handle) as queue:
        queue.add("a")
        await asyncio.wait_for(done.wait(), 30)


async def test_a_key_comes_back_after_the_time_it_asked_for():
    times, done = [], asyncio.Event()

    async def handle(_key):
        times.append(asyncio.get_running_loop().time())
        if len(times) == 2:
            done.set()
            return None
        return 0.05

    async with running(handle) as queue:
        queue.add("a")
        await asyncio.wait_for(done.wait(), 5)
    assert times[1] - times[0] >= 0.049


def clock() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def working(handle, **arguments):
    queue = WorkQueue(handle, **arguments)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_a_namespace_whose_keys_hang_does_not_hold_up_another():
    async def scenario():
        done = asyncio.Event()

        async def handle(key):
            if key.startswith("hanging/"):
                await asyncio.sleep(20)
                return 15.0
            done.set()
            return None

        async with working(handle) as queue:
            for number in range(200):
                queue.add(f"hanging/{number}")
            await asyncio.sleep(30)
            began = clock()
            queue.add("media/standup")
            await done.wait()
            assert clock() - began < 2

    run(scenario())


def test_a_namespace_gets_its_share_of_the_workers_and_the_others_get_theirs_in_turn():
    async def scenario():
        begun = []

        async def handle(key):
            begun.append((key.partition("/")[0], clock()))
            await asyncio.sleep(1)

        def begun_at(seconds):
            return [namespace for namespace, at in begun if at == seconds]

        async with working(handle, workers=5, per_namespace=3) as queue:
            for number in range(6):
                queue.add(f"a/{number}")
            await asyncio.sleep(0.5)
            assert begun_at(0) == ["a", "a", "a"]
            for namespace in ("b", "c"):
                for number in range(6):
                    queue.add(f"{namespace}/{number}")
            await asyncio.sleep(9)
        assert begun_at(0.5) == ["b", "c"]
        assert Counter(namespace for namespace, _ in begun) == {"a": 6, "b": 6, "c": 6}

    run(scenario())


def test_an_attempt_that_takes_too_long_is_cancelled_and_backs_off():
    async def scenario():
        begins = []

        async def handle(_key):
            begins.append(clock())
            await asyncio.Event().wait()

        async with working(handle, limit=60, draw=lambda: 1.0) as queue:
            queue.add("media/standup")
            await asyncio.sleep(185)
        assert begins == pytest.approx([0, 60.2, 120.6, 181.4])

    run(scenario())


def test_a_conflict_backs_off_like_an_error():
    async def scenario():
        begins = []

        async def handle(_key):
            begins.append(clock())
            raise ConflictError(409, "the object has been modified")

        async with working(handle, draw=lambda: 1.0) as queue:
            queue.add("media/standup")
            await asyncio.sleep(3.1)
        assert begins == pytest.approx([0, 0.2, 0.6, 1.4, 3.0])

    run(scenario())


def test_a_key_comes_back_no_sooner_than_the_api_server_asks_and_no_later_than_its_cap():
    async def scenario():
        begins, asked = [], iter([7.0, 3600.0])

        async def handle(_key):
            begins.append(clock())
            raise ApiError(429, "too many requests", next(asked, None))

        async with working(handle, draw=lambda: 1.0) as queue:
            queue.add("media/standup")
            await asyncio.sleep(38)
        assert begins == pytest.approx([0, 7.2, 37.6])

    run(scenario())


def test_a_key_that_waits_keeps_nothing_of_the_reconciliation_that_asked_for_it():
    """A copy of its context for each key would be most of what the garbage collector looks at."""

    async def scenario():
        variable = contextvars.ContextVar("job", default=None)
        seen = []

        async def handle(key):
            variable.set(key)
            return 300.0

        class Observer(Unobserved):
            def on_add(self, key):
                seen.append(variable.get())

        async with working(handle, observer=Observer()) as queue:
            queue.add("media/standup")
            await asyncio.sleep(700)
        assert seen == [None] * 3

    run(scenario())
