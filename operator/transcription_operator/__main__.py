"""Composition root: settings, connections, the queue and kopf, put together."""

import asyncio
import logging
import sys

import kopf
from pydantic import ValidationError

from transcription_operator.cluster import Cluster
from transcription_operator.handlers import register
from transcription_operator.queue import KeyedQueue
from transcription_operator.reconcile import Reconciler
from transcription_operator.settings import PREFIX, Settings

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run until a signal asks to stop."""
    cluster = await Cluster.connect()
    queue = KeyedQueue(Reconciler(cluster, settings).reconcile)
    registry = kopf.OperatorRegistry()
    register(registry, queue)
    ready = asyncio.Event()
    announcer = asyncio.create_task(_announce(ready, settings))
    watcher = asyncio.create_task(
        kopf.operator(
            registry=registry,
            standalone=True,
            clusterwide=not settings.watch_namespaces,
            namespaces=settings.watch_namespaces,
            liveness_endpoint=settings.liveness_endpoint,
            ready_flag=ready,
        )
    )
    worker = asyncio.create_task(queue.run())
    try:
        # An operator that hears and does not work, or the other way round, looks alive and is
        # not: with either, the process ends, and the kubelet starts another one.
        done, _ = await asyncio.wait({watcher, worker}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (announcer, watcher, worker):
            task.cancel()
        await asyncio.gather(announcer, watcher, worker, return_exceptions=True)
        await cluster.close()


async def _announce(ready: asyncio.Event, settings: Settings) -> None:
    await ready.wait()
    where = ", ".join(settings.watch_namespaces) or "all namespaces"
    log.info("watching TranscriptionJobs in %s", where)


def main() -> int:
    """The operator's exit code: 78 (EX_CONFIG) for settings that are wrong."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # At INFO they log each event that is passed on, and each probe.
    for chatty in ("kopf.objects", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        print(f"settings ({PREFIX}*) are wrong: {error}", file=sys.stderr)
        return 78
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
