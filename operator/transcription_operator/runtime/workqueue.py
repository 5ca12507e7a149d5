"""A queue of keys, each worked on by one worker at a time.

kopf calls an event handler once and forgets: it neither retries one that raised nor keeps two
events of one object apart. So events only name a key, and this queue owns order, retries and
waiting, as client-go's workqueue does
(https://pkg.go.dev/k8s.io/client-go/util/workqueue).
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from transcription_kube.errors import KubeError

Handle = Callable[[str], Awaitable[float | None]]
"""Works on a key; returns the seconds after which it wants to see it again, or None."""

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 60.0
_MOST_DOUBLINGS = 10  # more overflow a float, after 17 hours of failures
log = logging.getLogger(__name__)


class QueueObserver(Protocol):
    """Notified of what happens to keys, such as for metrics."""

    def on_add(self, key: str) -> None:
        """A key was added that was not in the queue."""

    def on_get(self, key: str) -> None:
        """A worker begins to process a key."""

    def on_done(self, key: str) -> None:
        """A worker has processed a key."""

    def on_retry(self, key: str) -> None:
        """A key failed, and is retried after its backoff."""


class Unobserved:
    """The observer of a queue that nobody observes."""

    def on_add(self, key: str) -> None:
        """Do nothing."""

    on_get = on_done = on_retry = on_add


class WorkQueue:
    """``add`` from anywhere in the loop, ``run`` once."""

    def __init__(
        self, handle: Handle, workers: int = 10, observer: QueueObserver | None = None
    ) -> None:
        self._handle = handle
        self._observer = observer or Unobserved()
        self._workers = workers
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._dirty: set[str] = set()
        self._busy: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._failures: Counter[str] = Counter()

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return self._ready.qsize()

    def add(self, key: str) -> None:
        """Have the key worked on soon: once, however often it is added before that."""
        self._stop_timer(key)
        if key in self._dirty:
            return
        self._dirty.add(key)
        self._observer.on_add(key)
        if key not in self._busy:
            self._ready.put_nowait(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Have the key worked on after a while; the latest call counts."""
        self._stop_timer(key)
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.add, key)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            self._dirty.discard(key)
            self._busy.add(key)
            self._observer.on_get(key)
            delay = await self._attempt(key)
            self._busy.discard(key)
            self._observer.on_done(key)
            if key in self._dirty:
                self._ready.put_nowait(key)
            elif delay is not None:
                self.add_after(key, delay)

    async def _attempt(self, key: str) -> float | None:
        try:
            delay: float | None = await self._handle(key)
        except KubeError as error:
            wait = self._backoff(key)
            log.warning("%s: trying again in %.1f s: %s", key, wait, error)
            return wait
        except Exception:
            wait = self._backoff(key)
            log.exception("%s: reconciling failed, trying again in %.1f s", key, wait)
            return wait
        self._failures.pop(key, None)
        return delay

    def _backoff(self, key: str) -> float:
        self._failures[key] += 1
        self._observer.on_retry(key)
        doublings = min(self._failures[key] - 1, _MOST_DOUBLINGS)
        return min(_LONGEST_BACKOFF, math.ldexp(_FIRST_BACKOFF, doublings))

    def _stop_timer(self, key: str) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
