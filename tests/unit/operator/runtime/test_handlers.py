import asyncio
import inspect

import kopf

from tests.unit.operator.runtime.test_caches import manifest
from transcription_operator.policies.queueing import Limits
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.handlers import register
from transcription_operator.runtime.workqueue import WorkQueue


async def test_events_reach_cache_and_queue_in_the_loop_and_not_in_one_of_kopfs_threads():
    worked = asyncio.Event()

    async def work(_: str) -> None:
        worked.set()

    registry = kopf.OperatorRegistry()
    caches, queue = Caches(Limits(), lambda _: None), WorkQueue(work)
    register(registry, caches, queue)
    (handler,) = registry._watching.get_all_handlers()
    assert inspect.iscoroutinefunction(handler.fn)
    await handler.fn(event={"type": "ADDED", "object": manifest(1)})
    running = asyncio.create_task(queue.run())
    await asyncio.wait_for(worked.wait(), timeout=5)
    running.cancel()
    await handler.fn(event={"type": "DELETED", "object": manifest(2)})
    assert not caches.owners.knows("media/standup")
