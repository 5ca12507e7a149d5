"""Who saw it all: every Job that ever was, and when each TranscriptionJob came to what."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

from tests.api import Json, jobs, transcription_jobs
from tests.integration.operator.wire import Wire

FINISHED = frozenset({"Succeeded", "Failed"})


class Witness:
    """Of one namespace; over cuts and outages.

    ``jobs``: the uids of the Jobs that each TranscriptionJob ever had, deleted ones too.
    ``statuses``: each TranscriptionJob's phase and reason as they are.
    ``job_seen``, ``status_seen``, ``end_seen``: the monotonic time at which its first Job, its
    first phase and its last one were heard of.
    """

    def __init__(self, api: Wire, namespace: str) -> None:
        self.jobs: dict[str, set[str]] = defaultdict(set)
        self.statuses: dict[str, tuple[str, str]] = {}
        self.job_seen: dict[str, float] = {}
        self.status_seen: dict[str, float] = {}
        self.end_seen: dict[str, float] = {}
        self._api = api
        self._namespace = namespace
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._follow_jobs())
            both.create_task(self._follow_parents())

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait, in the same event loop, for something that it sees.

        Raises:
            TimeoutError: it did not happen in time.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def finished(self) -> int:
        """How many have ended, whichever way."""
        return len(self.end_seen)

    async def _follow_jobs(self) -> None:
        async for _, job in self._api.follow(jobs(self._namespace)):
            owner = job["metadata"]["ownerReferences"][0]["name"]
            self.jobs[owner].add(job["metadata"]["uid"])
            self.job_seen.setdefault(owner, time.monotonic())
            self._changed.set()

    async def _follow_parents(self) -> None:
        async for kind, parent in self._api.follow(transcription_jobs(self._namespace)):
            if kind != "DELETED":
                self._note(parent["metadata"]["name"], parent.get("status", {}))

    def _note(self, name: str, status: Json) -> None:
        phase = status.get("phase")
        if phase is None:
            return
        self.statuses[name] = (phase, status.get("reason", ""))
        self.status_seen.setdefault(name, time.monotonic())
        if phase in FINISHED:
            self.end_seen.setdefault(name, time.monotonic())
        self._changed.set()
