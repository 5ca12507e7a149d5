"""Composition root: settings, connections, and the operation, put together."""

import asyncio
import logging
import signal
import sys

from pydantic import ValidationError

from transcription_kube.client import ApiClient
from transcription_kube.errors import KubeError
from transcription_kube.lease import Elector, Timing
from transcription_operator.runtime import logs
from transcription_operator.runtime.app import App
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.health import Health
from transcription_operator.runtime.metrics import Metrics
from transcription_operator.runtime.worker_client import WorkerClient
from transcription_operator.settings import Settings, settings_errors

_EX_CONFIG = 78
log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run until a signal asks to stop.

    Raises:
        KubeError: there is no way to the API server, or another operator leads now.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics(settings.lease_name)
    client = await ApiClient.connect(
        qps=settings.api_qps, burst=settings.api_burst, count=metrics.operator.count_request
    )
    workers = WorkerClient()
    cluster = Cluster(client)
    operation = App(cluster, settings, workers.query, metrics)
    health = Health(metrics.text, operation.ready)
    try:
        async with health.serving(settings.http_address, settings.http_port):
            if settings.leader_election:
                # Only whoever leads has watches; whoever waits is as ready as can be.
                operation.ready.set()
                await _elected(operation, health, metrics, settings, stop)
            else:
                metrics.operator.set_leading(True)
                await operation.run(stop, health)
    finally:
        await workers.close()
        await client.close()


async def _elected(
    operation: App,
    health: Health,
    metrics: Metrics,
    settings: Settings,
    stop: asyncio.Event,
) -> None:
    metrics.operator.set_holding_lease(False)
    timing = Timing(
        settings.lease_duration_seconds,
        settings.lease_deadline_seconds,
        settings.lease_retry_seconds,
    )
    # Behind the operation's own requests, a renewal would come too late.
    client = await ApiClient.connect(count=metrics.operator.count_request)
    elector = Elector(
        client,
        settings.lease_namespace,
        settings.lease_name,
        settings.identity,
        timing,
        metrics.operator.set_holding_lease,
    )
    candidate = asyncio.create_task(elector.lead(lambda: operation.run(asyncio.Event(), health)))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({candidate, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if candidate.done():
            candidate.result()
    finally:
        stopped.cancel()
        candidate.cancel()
        await asyncio.gather(candidate, stopped, return_exceptions=True)
        await client.close()


def main() -> int:
    """The operator's exit code: 78 (EX_CONFIG) for settings that are wrong."""
    try:
        settings = Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        print(settings_errors(error), file=sys.stderr)
        return _EX_CONFIG
    logs.configure(settings.log_format)
    try:
        asyncio.run(run(settings))
    except KubeError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
