"""A collection that our role may not let us read: something less is known, and nothing fails."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from transcription_kube.errors import ApiError
from transcription_kube.informer import Source

Json = dict[str, Any]

_AGAIN_SECONDS = 300.0
log = logging.getLogger(__name__)


class IfPermitted:
    """Another source, for an informer that waits in silence while listing or watching is forbidden.

    Args:
        source: what to list and watch.
        without: what is missing without the right to, for the log.
    """

    def __init__(self, source: Source, without: str) -> None:
        self.name = source.name
        self.namespace = source.namespace
        self._source = source
        self._without = without
        self._logged = False

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        """All objects, a page at a time, as soon as that is permitted."""
        while True:
            try:
                async for page in self._source.pages():
                    yield page
                return
            except ApiError as error:
                await self._wait_if_forbidden(error)

    async def watch(self, version: str) -> AsyncIterator[Json]:
        """Watch events from a resourceVersion on; none where that is forbidden."""
        try:
            async for event in self._source.watch(version):
                yield event
        except ApiError as error:
            await self._wait_if_forbidden(error)

    async def _wait_if_forbidden(self, error: ApiError) -> None:
        if not error.is_forbidden:
            raise error
        if not self._logged:
            log.warning("%s are not watched, so %s: %s", self.name, self._without, error.message)
        self._logged = True
        await asyncio.sleep(_AGAIN_SECONDS)
