"""A second look at all TranscriptionJobs now and then, beside kopf's watch.

It heals what a watch that is silently dead has missed, and says so: silence alone is no proof of
death, since nothing may have happened.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from transcription_operator.errors import OperatorError
from transcription_operator.informer import Source
from transcription_operator.parents import Parents, key_of

_GRACE_SECONDS = 5.0
"""An event may be on its way."""

log = logging.getLogger(__name__)


class Relister:
    """Lists everything once at start, and then every ``interval`` seconds.

    ``news``: called with the key of each object that was not known, or is gone.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        parents: Parents,
        interval: float,
        news: Callable[[str], None],
    ) -> None:
        self._sources = sources
        self._parents = parents
        self._interval = interval
        self._news = news
        self._succeeded = time.monotonic()

    def age(self) -> float:
        """Seconds since the API server last answered with all TranscriptionJobs."""
        return time.monotonic() - self._succeeded

    async def first(self) -> None:
        """Fill the cache.

        Raises:
            OperatorError: the API server does not answer, or refuses.
        """
        for source in self._sources:
            for found in (await source.list())[0]:
                self._parents.put(found)
        self._succeeded = time.monotonic()

    async def run(self) -> None:
        """Look again for ever."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.look()
            except (OperatorError, OSError, TimeoutError) as error:
                log.warning("TranscriptionJobs could not be listed: %s", error)

    async def look(self) -> int:
        """Compare once; how many changes had been missed."""
        known = set(self._parents.all())
        lists = [await source.list() for source in self._sources]
        self._succeeded = time.monotonic()
        # An event of what is new on these lists may be on its way.
        await asyncio.sleep(_GRACE_SECONDS)
        missed = []
        for objects, _ in lists:
            missed += [key_of(found) for found in objects if self._parents.put(found)]
            known -= {key_of(found) for found in objects}
        oldest = min(int(version) for _, version in lists)
        missed += [key for key in known if self._parents.drop(key, oldest)]
        for key in missed:
            self._news(key)
        if missed:
            log.warning("the watch had missed %d changes of TranscriptionJobs", len(missed))
        return len(missed)
