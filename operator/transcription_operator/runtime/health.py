"""One HTTP server for those who watch over the operator: /healthz, /readyz and /metrics.

Liveness fails when a restart would help: a loop stands still. An API server that does not answer is
no reason, however long it does not, and neither is waiting to lead.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

Check = Callable[[], str | None]
"""What is wrong, as a sentence, or None."""

LOOP_SECONDS = 30.0
_BEAT_SECONDS = 1.0


def stale(what: str, age: Callable[[], float], most: float) -> Check:
    """A check that something is never longer ago than that many seconds."""

    def check() -> str | None:
        seconds = age()
        return f"{what}: nothing for {seconds:.0f} s" if seconds > most else None

    return check


class Heartbeat:
    """A task that should get its turn each second: when it does not, nobody does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat = clock()

    def age(self) -> float:
        """Seconds since the last turn."""
        return self._clock() - self._beat

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._beat = self._clock()
            await asyncio.sleep(_BEAT_SECONDS)


class Health:
    """What the probes are told.

    Args:
        metrics: everything, in Prometheus' text format.
        ready: set when the operator may be counted on. One that waits to lead should set it: a
            rolling update waits for it to be ready, and it for its forerunner to end.
    """

    def __init__(self, metrics: Callable[[], bytes], ready: asyncio.Event) -> None:
        self._metrics = metrics
        self._ready = ready
        self._heartbeat = Heartbeat()
        self._checks: list[Check] = [stale("event loop", self._heartbeat.age, LOOP_SECONDS)]

    def check(self, check: Check) -> None:
        """Have /healthz fail when the check finds something."""
        self._checks.append(check)

    def problems(self) -> list[str]:
        """What every check finds now."""
        return [problem for check in self._checks if (problem := check())]

    @asynccontextmanager
    async def serving(self, address: str, port: int) -> AsyncIterator[int]:
        """Answer until the block ends; the port, which is any free one for 0.

        Args:
            address: to listen at; empty for all.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._live)
        app.router.add_get("/readyz", self._is_ready)
        app.router.add_get("/metrics", self._scrape)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        beat = asyncio.create_task(self._heartbeat.run())
        try:
            await runner.setup()
            await web.TCPSite(runner, address or None, port).start()
            yield runner.addresses[0][1]
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
            await runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        problems = self.problems()
        return web.Response(
            status=503 if problems else 200, text="\n".join(problems or ["ok"]) + "\n"
        )

    async def _is_ready(self, _: web.Request) -> web.Response:
        if self._ready.is_set():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="not ready yet\n")

    async def _scrape(self, _: web.Request) -> web.Response:
        # web.Response's content_type takes no parameters, and this one has some.
        return web.Response(body=self._metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})
