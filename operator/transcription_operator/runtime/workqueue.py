"""A queue of keys, each worked on by one worker at a time, and fair between namespaces.

Events only name a key; this queue owns order, retries and waiting, as client-go's workqueue does
(https://pkg.go.dev/k8s.io/client-go/util/workqueue).

A namespace whose keys take long, because its admission webhook hangs, must not hold up the others:
the next key is always of the namespace with the fewest workers, and none gets more than its share,
even while the others are idle. A worker that is lent cannot be taken back before its time is up.
"""

import asyncio
import contextvars
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from transcription_kube.errors import ConflictError, KubeError, words
from transcription_kube.keys import namespace_of
from transcription_kube.throttle import wait_after

Handle = Callable[[str], Awaitable[float | None]]
"""Works on a key; returns the seconds after which it wants to see it again, or None."""

_LONGEST_BACKOFF = 60.0
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
    """``add`` from anywhere in the loop, ``run`` once.

    Args:
        handle: works on a key, namespace/name.
        workers: keys that are worked on at once.
        per_namespace: how many of them may be of one namespace.
        limit: seconds after which an attempt is cancelled, and backs off. A webhook may take 30.
        observer: notified of what happens to keys.
        draw: random numbers of [0, 1), for the spread of the backoffs.
    """

    def __init__(
        self,
        handle: Handle,
        workers: int = 50,
        per_namespace: int = 10,
        limit: float = 60.0,
        observer: QueueObserver | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._handle = handle
        self._observer = observer or Unobserved()
        self._workers = workers
        self._per_namespace = per_namespace
        self._limit = limit
        self._draw = draw
        self._ready: dict[str, deque[str]] = {}
        self._dirty: set[str] = set()
        self._busy: set[str] = set()
        self._busy_in: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        # Shared: copies of the contexts that reconcile would be half of what waiting keys weigh.
        self._context = contextvars.copy_context()
        self._failures: Counter[str] = Counter()

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return sum(map(len, self._ready.values()))

    def add(self, key: str) -> None:
        """Have the key worked on soon: once, however often it is added before that."""
        self._stop_timer(key)
        if key in self._dirty:
            return
        self._dirty.add(key)
        self._observer.on_add(key)
        if key not in self._busy:
            self._enqueue(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Have the key worked on after a while; the latest call counts."""
        self._stop_timer(key)
        self._timers[key] = asyncio.get_running_loop().call_later(
            seconds, self.add, key, context=self._context
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                while (key := self._next()) is not None:
                    group.create_task(self._work(key))
                await self._changed.wait()

    def _enqueue(self, key: str) -> None:
        self._ready.setdefault(namespace_of(key), deque()).append(key)
        self._changed.set()

    def _next(self) -> str | None:
        """Take the key to work on next; None if it has to wait for a worker."""
        if not self._ready or len(self._busy) >= self._workers:
            return None
        # Of several, the one whose turn is longest ago: a dict keeps the order of insertion.
        namespace = min(self._ready, key=self._busy_in.__getitem__)
        if self._busy_in[namespace] >= self._per_namespace:
            return None
        keys = self._ready.pop(namespace)
        key = keys.popleft()
        if keys:
            self._ready[namespace] = keys
        self._dirty.discard(key)
        self._busy.add(key)
        self._busy_in[namespace] += 1
        self._observer.on_get(key)
        return key

    async def _work(self, key: str) -> None:
        delay = await self._attempt(key)
        self._busy.discard(key)
        self._observer.on_done(key)
        namespace = namespace_of(key)
        self._busy_in[namespace] -= 1
        if not self._busy_in[namespace]:
            del self._busy_in[namespace]
        if key in self._dirty:
            self._enqueue(key)
        elif delay is not None:
            self.add_after(key, delay)
        self._changed.set()

    async def _attempt(self, key: str) -> float | None:
        try:
            async with asyncio.timeout(self._limit):
                delay = await self._handle(key)
        except Exception as error:
            wait = self._backoff(key, error)
            _log(key, wait, error)
            return wait
        self._failures.pop(key, None)
        return delay

    def _backoff(self, key: str, error: Exception) -> float:
        self._failures[key] += 1
        self._observer.on_retry(key)
        return wait_after(self._failures[key], self._draw(), error, longest=_LONGEST_BACKOFF)

    def _stop_timer(self, key: str) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()


def _log(key: str, wait: float, error: Exception) -> None:
    match error:
        case ConflictError():
            log.info("%s: reconciling again in %.1f s: %s", key, wait, words(error))
        case KubeError():
            log.warning("%s: trying again in %.1f s: %s", key, wait, words(error))
        case TimeoutError():
            log.warning("%s: cancelled, trying again in %.1f s: it took too long", key, wait)
        case _:
            log.error("%s: reconciling failed, trying again in %.1f s", key, wait, exc_info=error)
