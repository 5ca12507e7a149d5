"""Asking running workers how far they are, beside the visits: a worker that does not answer holds
up nothing."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from transcription_contract.metric_names import METRICS_PORT
from transcription_kube.errors import KubeError
from transcription_operator.policies import progress
from transcription_operator.policies.observation import ObservedPod

AT_ONCE = 32
MOST_PER_SECOND = 100
"""With more workers than this times the interval, each is asked less often: an answer costs some
milliseconds, and visits must not wait for them."""

_TIMEOUT_SECONDS = 2.0
_BYTES = 1 << 20
log = logging.getLogger(__name__)

Ask = Callable[[str, ObservedPod], Awaitable[str]]
"""A namespace and a pod of it -> the pod's metrics as Prometheus text."""


@dataclass
class _Run:
    """What one set of a job's pods said: new pods, new clock, since what the ones before them did
    is no speed of theirs."""

    pods: frozenset[str]
    first: progress.Reading
    latest: progress.Reading


@dataclass(frozen=True)
class _Mark:
    """The reading with which a job last got on, if there was one, and when: a monotonic time."""

    reading: progress.Reading | None
    at: float


class Scraper:
    """Keeps the latest reading of each job.

    Args:
        ask: how a pod's metrics are got.
        workers: the running ones, each with the key of its job.
        interval: seconds between two readings of a job.
        told: called with a job's key when its percent has changed.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        ask: Ask,
        workers: Callable[[], Iterable[tuple[str, ObservedPod]]],
        interval: float,
        told: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._workers = workers
        self._interval = interval
        self._on_change = told
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._marks: dict[str, _Mark] = {}

    def readings(self, key: str) -> tuple[progress.Reading, progress.Reading] | None:
        """The first and the latest of the present pods of namespace/name."""
        run = self._runs.get(key)
        return (run.first, run.latest) if run else None

    def standstill(self) -> float:
        """Seconds since the job that got on longest ago did so; each begins when it first has a
        running worker, and so anew after a time without one."""
        now = self._clock()
        return max((now - mark.at for mark in self._marks.values()), default=0.0)

    def forget(self, key: str) -> None:
        """The job has ended."""
        self._runs.pop(key, None)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            running: dict[str, list[ObservedPod]] = defaultdict(list)
            for key, pod in self._workers():
                running[key].append(pod)
            for gone in self._runs.keys() - running.keys():
                self.forget(gone)
            begin = _Mark(None, self._clock())
            self._marks = {key: self._marks.get(key, begin) for key in running}
            lap = asyncio.create_task(asyncio.sleep(self._lap(sum(map(len, running.values())))))
            try:
                await self._round(running)
                await lap
            finally:
                lap.cancel()

    def _lap(self, pods: int) -> float:
        return max(self._interval, pods / MOST_PER_SECOND)

    async def _round(self, running: Mapping[str, list[ObservedPod]]) -> None:
        todo = list(running.items())
        gap = self._lap(sum(map(len, running.values()))) / (2 * max(1, len(todo)))

        async def work() -> None:
            while todo:
                key, pods = todo.pop()
                await self._read(key, pods)
                # Spread over the lap, so that visits find their turn between.
                await asyncio.sleep(min(gap * AT_ONCE, 0.1) if len(todo) > AT_ONCE else 0)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(todo))):
                group.create_task(work())

    async def _read(self, key: str, pods: list[ObservedPod]) -> None:
        namespace = key.partition("/")[0]
        texts = await asyncio.gather(*(self._answer(namespace, pod) for pod in pods))
        answers = [progress.parse(text) for text in texts if text]
        reading = progress.reading_of(answers, datetime.now(UTC))
        if reading is None:
            return
        mark = self._marks[key]
        if mark.reading is None or progress.got_on(mark.reading, reading):
            self._marks[key] = _Mark(reading, self._clock())
        names = frozenset(pod.name for pod in pods)
        before = self._runs.get(key)
        if before is None or before.pods != names:
            self._runs[key] = _Run(names, reading, reading)
            self._on_change(key)
            return
        changed = progress.percent_of(before.latest) != progress.percent_of(reading)
        before.latest = reading
        if changed:
            self._on_change(key)

    async def _answer(self, namespace: str, pod: ObservedPod) -> str | None:
        try:
            return await self._ask(namespace, pod)
        except (aiohttp.ClientError, KubeError, OSError, TimeoutError) as error:
            log.debug("%s/%s does not answer: %r", namespace, pod.name, error)
            return None


class Direct:
    """By the pods' addresses, for an operator inside the cluster."""

    def __init__(self) -> None:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        self._web = aiohttp.ClientSession(timeout=timeout)

    async def close(self) -> None:
        """Close every connection."""
        await self._web.close()

    async def ask(self, _: str, pod: ObservedPod) -> str:
        """The first megabyte of what a pod says.

        Raises:
            aiohttp.ClientError, TimeoutError: it does not answer.
        """
        host = f"[{pod.ip}]" if ":" in (pod.ip or "") else pod.ip
        url = f"http://{host}:{METRICS_PORT}/metrics"
        async with self._web.get(url, allow_redirects=False) as answer:
            answer.raise_for_status()
            return await _beginning_of(answer)


async def _beginning_of(answer: aiohttp.ClientResponse) -> str:
    """Whoever answers may never end, and ``read(n)`` returns with the first piece that arrives."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) >= _BYTES:
            break
    return content[:_BYTES].decode(errors="replace")
