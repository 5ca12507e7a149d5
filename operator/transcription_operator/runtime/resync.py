"""A second look at all TranscriptionJobs now and then, beside kopf's watch.

It heals what a watch that is silently dead has missed, and says so: silence alone is no proof of
death, since nothing may have happened.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from transcription_kube.errors import KubeError
from transcription_kube.informer import Json, Source
from transcription_operator.runtime.owners import Owners, key_of, version_of

_GRACE_SECONDS = 5.0
"""An event may be on its way."""

log = logging.getLogger(__name__)


class Resync:
    """Lists everything once at start, and then every ``interval`` seconds.

    ``news``: called with the key of each object that was not known, or is gone.
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
        self._succeeded = time.monotonic()

    def age(self) -> float:
        """Seconds since the API server last answered with all TranscriptionJobs."""
        return time.monotonic() - self._succeeded

    async def first(self) -> None:
        """Fill the cache.

        Raises:
            KubeError: the API server does not answer, or refuses.
        """
        for source in self._sources:
            async for objects, _ in source.pages():
                for found in objects:
                    self._owners.put(found)
        self._succeeded = time.monotonic()

    async def run(self) -> None:
        """Look again for ever."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.look()
            except (KubeError, OSError, TimeoutError) as error:
                log.warning("TranscriptionJobs could not be listed: %s", error)

    async def look(self) -> int:
        """Compare once; how many changes had been missed."""
        known = {key: self._owners.version(key) for key in self._owners.all()}
        removed = self._owners.removed
        found, unlisted, version = await self._compare(known)
        self._succeeded = time.monotonic()
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
