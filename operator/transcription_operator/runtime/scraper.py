"""Reads the progress of running jobs from their workers, independently of reconciling: a worker
that does not answer delays nothing.

Anyone who can create pods in a namespace can pretend to have many workers there. So five hundred
pods of a job cost no more memory or time than a few.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from transcription_api.progress import Progress
from transcription_operator.policies import progress
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.caches import RunningJob
from transcription_operator.runtime.worker_client import WorkerError

QUERIES_AT_ONCE = 32
QUERIES_PER_SECOND = 100
"""With more pods to query than this times the interval, a lap takes longer: each answer costs about
a millisecond, and reconciling must not wait."""

PODS_PER_JOB = 8
"""Pods of a job that are queried in a lap, in turn if it has more: each knows the whole job."""

log = logging.getLogger(__name__)

Query = Callable[[ObservedPod], Awaitable[str]]
"""A pod -> its metrics as Prometheus text. Raises WorkerError."""


@dataclass
class _Run:
    """The readings of one set of pods: new pods, new clock, since what the ones before them did
    is no speed of theirs.

    ``shown``: the progress of which the owner was last notified.
    """

    pods: frozenset[str]
    first: progress.Reading
    latest: progress.Reading
    shown: Progress


@dataclass(frozen=True)
class _Mark:
    """The furthest progress so far, if there was any, and the monotonic time of it."""

    reading: progress.Reading | None
    at: float


class Scraper:
    """Keeps the latest reading of each Job, by its uid.

    Args:
        query: reads a pod's metrics.
        jobs: lists the Jobs with running workers.
        interval: seconds between two readings of a Job.
        on_change: called with the owner's namespace/name when its progress should be written.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        query: Query,
        jobs: Callable[[], Iterable[RunningJob]],
        interval: float,
        on_change: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._query = query
        self._jobs = jobs
        self._interval = interval
        self._on_change = on_change
        self._clock = clock
        self._slots = asyncio.Semaphore(QUERIES_AT_ONCE)
        self._laps = 0
        self._runs: dict[str, _Run] = {}
        self._marks: dict[str, _Mark] = {}

    def readings(self, job_uid: str) -> tuple[progress.Reading, progress.Reading] | None:
        """The first and the latest reading of a Job's present pods."""
        run = self._runs.get(job_uid)
        return (run.first, run.latest) if run else None

    def standstill(self) -> float:
        """Longest time in seconds that a Job with a running worker has made no progress.

        The clock starts when a Job has its first running worker, also after a time without one.
        """
        now = self._clock()
        return max((now - mark.at for mark in self._marks.values()), default=0.0)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            running = {job.uid: job for job in self._jobs()}
            begin = _Mark(None, self._clock())
            self._runs = {uid: run for uid, run in self._runs.items() if uid in running}
            self._marks = {uid: self._marks.get(uid, begin) for uid in running}
            seconds = self._lap(sum(min(len(job.pods), PODS_PER_JOB) for job in running.values()))
            lap = asyncio.create_task(asyncio.sleep(seconds))
            try:
                await self._read_all(list(running.values()), seconds)
                await lap
            finally:
                lap.cancel()
            self._laps += 1

    def _lap(self, queries: int) -> float:
        return max(self._interval, queries / QUERIES_PER_SECOND)

    async def _read_all(self, todo: list[RunningJob], seconds: float) -> None:
        gap = seconds / (2 * max(1, len(todo)))

        async def work() -> None:
            while todo:
                await self._read(todo.pop())
                # Spread over the lap, so that reconciling finds its turn between.
                many = len(todo) > QUERIES_AT_ONCE
                await asyncio.sleep(min(gap * QUERIES_AT_ONCE, 0.1) if many else 0)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(QUERIES_AT_ONCE, len(todo))):
                group.create_task(work())

    async def _read(self, job: RunningJob) -> None:
        answers = await asyncio.gather(*map(self._answer, in_turn(job.pods, self._laps)))
        reading = progress.reading_of([each for each in answers if each], datetime.now(UTC))
        if reading is None:
            return
        mark = self._marks[job.uid]
        if mark.reading is None or progress.is_further(mark.reading, reading):
            self._marks[job.uid] = _Mark(progress.furthest(mark.reading, reading), self._clock())
        names = frozenset(pod.name for pod in job.pods)
        run = self._runs.get(job.uid)
        if run is None or run.pods != names:
            shown = progress.advance(None, reading, reading)
            self._runs[job.uid] = _Run(names, reading, reading, shown)
            self._on_change(job.owner)
            return
        run.latest = reading
        shown = progress.advance(run.shown, run.first, reading)
        if shown is not run.shown:
            run.shown = shown
            self._on_change(job.owner)

    async def _answer(self, pod: ObservedPod) -> dict[str, float] | None:
        """A pod's gauges. The text is not kept: it may be long, and those of other pods slow."""
        async with self._slots:
            try:
                return progress.parse(await self._query(pod))
            except WorkerError as error:
                log.debug("pod %s does not answer: %s", pod.name, error)
                return None


def in_turn(pods: tuple[ObservedPod, ...], lap: int) -> list[ObservedPod]:
    """The pods of a job that are queried in this lap."""
    count = min(len(pods), PODS_PER_JOB)
    return [pods[(lap * PODS_PER_JOB + i) % len(pods)] for i in range(count)]
