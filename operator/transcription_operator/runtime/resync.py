"""A second look at all TranscriptionJobs now and then, beside kopf's watch.

It heals what a watch that is silently dead has missed, and says so: silence alone is no proof of
death, since nothing may have happened.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence

from transcription_kube.errors import ApiError, KubeError, words
from transcription_kube.informer import Json, Source
from transcription_kube.keys import key_of
from transcription_kube.stopwatch import Stopwatch
from transcription_kube.throttle import wait_after
from transcription_operator.runtime.owners import Owners, version_of

_GRACE_SECONDS = 5.0
"""An event may be on its way."""

log = logging.getLogger(__name__)


class Resync:
    """Lists everything once at start, and then every ``interval`` seconds.

    ``on_change``: called with the key of each object that was not known, or is gone.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        owners: Owners,
        interval: float,
        on_change: Callable[[str], None],
    ) -> None:
        self._sources = sources
        self._owners = owners
        self._interval = interval
        self._on_change = on_change
        self._listed = Stopwatch()
        self._turned = Stopwatch()

    def age(self) -> float:
        """Seconds since the API server last answered with all TranscriptionJobs; 0 before
        ``first``."""
        return self._listed.seconds()

    def idle(self) -> float:
        """Seconds since the loop itself last did something, such as fail to reach the API server;
        0 before ``first``."""
        return self._turned.seconds()

    async def first(self) -> None:
        """Fill the cache, however long the API server does not answer.

        Raises:
            ApiError: it refuses. The process should end, and be seen to: a role or a CRD is
                missing.
        """
        self._listed.restart()
        failures = 0
        while True:
            self._turned.restart()
            try:
                await self._fill()
                return
            except (KubeError, OSError) as error:
                if isinstance(error, ApiError) and error.is_refusal:
                    raise
                failures += 1
                await self._pause(failures, error)

    async def run(self) -> None:
        """Look again for ever."""
        failures = 0
        await asyncio.sleep(self._interval)
        while True:
            self._turned.restart()
            try:
                await self.look()
                failures = 0
                await asyncio.sleep(self._interval)
            except (KubeError, OSError) as error:
                failures += 1
                await self._pause(failures, error)

    async def _pause(self, failures: int, error: Exception) -> None:
        log.warning("TranscriptionJobs could not be listed: %s", words(error))
        await asyncio.sleep(wait_after(failures, random.random(), error))

    async def _fill(self) -> None:
        found: set[str] = set()
        versions = []
        for source in self._sources:
            async for objects, version in source.pages():
                self._turned.restart()
                versions.append(int(version))
                for each in objects:
                    found.add(key_of(each))
                    self._owners.put(each)
        # An earlier try that was cut short may have found what is gone by now.
        for key in self._owners.all():
            if key not in found:
                self._owners.drop(key, min(versions))
        self._listed.restart()

    async def look(self) -> int:
        """Compare once; how many changes had been missed."""
        known = {key: self._owners.version(key) for key in self._owners.all()}
        removed = self._owners.removed
        found, unlisted, version = await self._compare(known)
        self._listed.restart()
        # An event of what is new on these lists may be on its way.
        await asyncio.sleep(_GRACE_SECONDS)
        missed = []
        for key, each in found.items():
            # What an event has told of meanwhile is newer than these lists, a deletion too.
            untouched = self._owners.version(key) == known.get(key)
            if untouched and (key in known or self._owners.removed == removed):
                missed += [key] if self._owners.put(each) else []
        missed += [key for key in unlisted if self._owners.drop(key, version)]
        for key in missed:
            self._on_change(key)
        if missed:
            log.warning("the watch had missed %d changes of TranscriptionJobs", len(missed))
        return len(missed)

    async def _compare(
        self, known: Mapping[str, int | None]
    ) -> tuple[dict[str, Json], list[str], int]:
        """What is listed and newer than known, what is known and not listed, and the oldest
        resourceVersion of the lists."""
        news: dict[str, Json] = {}
        unlisted, versions = set(known), set()
        for source in self._sources:
            async for objects, version in source.pages():
                self._turned.restart()
                listed = {key_of(each): each for each in objects}
                unlisted -= listed.keys()
                versions.add(int(version))
                news |= {
                    key: each
                    for key, each in listed.items()
                    if version_of(each) > (known.get(key) or 0)
                    and (key in known or self._owners.is_ours(each))
                }
        return news, sorted(unlisted), min(versions)
