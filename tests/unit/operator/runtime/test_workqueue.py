import asyncio
from contextlib import asynccontextmanager, suppress

from transcription_operator.runtime.workqueue import WorkQueue


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
