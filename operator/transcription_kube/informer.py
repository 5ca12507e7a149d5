"""Caches of what the API server has: a list, then one watch after the other.

They keep a projection of a few fields. A watch that ends or breaks is resumed from the last
resourceVersion that it delivered; everything is listed again only when the API server no longer
keeps that version (410), or three watches from it were refused or silent. A watch that is silent
for longer than the API server's bookmarks take is cut: it cannot be told from a dead one.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from transcription_kube.errors import ApiError, GoneError, KubeError, api_error, words
from transcription_kube.keys import key_of, namespace_of
from transcription_kube.stopwatch import Stopwatch
from transcription_kube.store import Store, Versioned
from transcription_kube.throttle import wait_after

Json = dict[str, Any]

_BUSY_WATCH_SECONDS = 5.0
_QUIET_WATCH_SECONDS = 30.0
"""A watch that lasted for so long, with and without an event, was no failure, however it ended."""

_MOST_DOUBTS = 3
_PARSED_AT_ONCE = 50
"""Objects of a page that are parsed, in a few milliseconds, before other tasks get their turn."""

log = logging.getLogger(__name__)


T = TypeVar("T", bound=Versioned)


class Source(Protocol):
    """A collection that can be listed and watched, as collection.py has it.

    ``namespace``: the one that it is limited to, or None.
    """

    name: str
    namespace: str | None

    def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        """All objects, some hundreds at a time, and the resourceVersion to watch from."""

    def watch(self, version: str) -> AsyncIterator[Json]:
        """Watch events from a resourceVersion on; it ends when the server ends it.

        Raises:
            ApiError: with status 410 when the version is too old.
            TimeoutError: nothing was heard for too long.
        """


class Informer(Generic[T]):
    """Keeps a store like what the API server has.

    Args:
        source: what to list and watch.
        store: what to keep it in; several informers, of a namespace each, may share one.
        parse: an object to what is kept of it; None if it is not kept.
        changed: called with namespace/name, what was, and what is, for each difference.
    """

    def __init__(
        self,
        source: Source,
        store: Store[T],
        parse: Callable[[Json], T | None],
        changed: Callable[[str, T | None, T | None], None],
    ) -> None:
        self._source = source
        self._store = store
        self._parse = parse
        self._changed = changed
        self._version: str | None = None
        self._doubts = 0
        self._brought = False
        self._turn = asyncio.Lock()
        self._watched = Stopwatch()
        self._answered = Stopwatch()
        self._turned = Stopwatch()
        self.synced = asyncio.Event()

    @property
    def name(self) -> str:
        """What it watches."""
        return self._source.name

    def age(self) -> float:
        """Seconds since the last answer of the API server; 0 before ``run``."""
        return self._answered.seconds()

    def idle(self) -> float:
        """Seconds since the loop itself last did something, such as fail to reach the API server;
        0 before ``run``."""
        return self._turned.seconds()

    async def run(self) -> None:
        """Follow the API server until cancelled.

        Raises:
            ApiError: the first list was refused: a role or a resource is missing.
            Exception: an event could not be read; the caches are not to be relied on.
        """
        self._answered.restart()
        failures = 0
        while True:
            self._turned.restart()
            error = await self._list_and_watch()
            long_enough = _BUSY_WATCH_SECONDS if self._brought else _QUIET_WATCH_SECONDS
            failures = 0 if self._watched.seconds() >= long_enough else failures + 1
            if failures:
                await asyncio.sleep(wait_after(failures, random.random(), error))

    async def _list_and_watch(self) -> Exception | None:
        """List, if need be, and watch once; what ended it, or None for the server."""
        self._brought, self._watched = False, Stopwatch()
        try:
            if self._version is None:
                async with self._turn:
                    self._version = await self._list()
            await self._follow(self._version)
        except (KubeError, OSError) as error:
            if isinstance(error, ApiError) and error.is_refusal and not self.synced.is_set():
                raise api_error(error.status, _refused(self.name, error)) from error
            log.warning("watching %s: %s", self.name, words(error))
            self._doubt(error)
            return error
        return None

    async def enter(self, part: Source) -> None:
        """List a part of the collection whose objects ``parse`` did not keep, and keeps now.

        No event is handled meanwhile: that of an object's deletion after this list comes after it.

        Raises:
            KubeError, OSError: not all of it could be listed.
        """
        async with self._turn:
            async for objects, _ in part.pages():
                self._hear()
                await self._keep(objects)

    def _doubt(self, error: Exception) -> None:
        """Give the version up when it is the reason, or may be: a refusal and silence say so, a
        lost connection does not."""
        if isinstance(error, ApiError):
            self._doubts += not error.is_transient
        elif isinstance(error, TimeoutError):
            self._doubts += 1
        if isinstance(error, GoneError) or self._doubts >= _MOST_DOUBTS:
            self._version, self._doubts = None, 0

    async def _list(self) -> str:
        found: set[str] = set()
        version = "0"
        async for objects, at in self._source.pages():
            self._hear()
            version = at
            found |= await self._keep(objects)
            del objects
        for key in [each for each in self._store.items if self._is_mine(each)]:
            if key not in found:
                self._set(key, None, int(version))
        self._store.heard[self._source.namespace] = int(version)
        self.synced.set()
        return version

    async def _keep(self, objects: Sequence[Json]) -> set[str]:
        """Keep a page's objects unless newer ones are known; the keys of those that are ours."""
        ours = set()
        for number, each in enumerate(objects, start=1):
            item = self._read(each)
            if item is not None:
                key = key_of(each)
                ours.add(key)
                self._set(key, item, item.version)
            if number % _PARSED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return ours

    def _read(self, found: Json) -> T | None:
        """What is kept of an object. One that cannot be read, which may be anybody's, is left out:
        it must not end the work on all others."""
        try:
            return self._parse(found)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            log.exception(
                "one of the %s cannot be read, and is left out: %s", self.name, key_of(found)
            )
            return None

    def _is_mine(self, key: str) -> bool:
        return self._source.namespace in (None, namespace_of(key))

    async def _follow(self, version: str) -> None:
        self._watched.restart()
        async for event in self._source.watch(version):
            self._hear()
            async with self._turn:
                self._take(event["type"], event["object"])

    def _take(self, kind: str, changed: Json) -> None:
        if kind == "ERROR":
            raise api_error(int(changed.get("code") or 500), str(changed.get("message", "")))
        at = changed["metadata"]["resourceVersion"]
        if kind != "BOOKMARK":
            item = None if kind == "DELETED" else self._read(changed)
            self._set(key_of(changed), item, int(at))
        self._version, self._doubts, self._brought = at, 0, True
        self._store.heard[self._source.namespace] = int(at)

    def _hear(self) -> None:
        self._answered.restart()
        self._turned.restart()

    def _set(self, key: str, item: T | None, version: int) -> None:
        before = self._store.get(key)
        if before and version < before.version:
            return
        self._store.put(key, item)
        if before != item:
            self._changed(key, before, item)


_ADVICE = {
    400: "Check the selectors of labels in the settings",
    401: "Check the token of the service account, or of the kubeconfig",
}


def _refused(name: str, error: ApiError) -> str:
    advice = _ADVICE.get(
        error.status,
        "Check that the resource is installed, and that the role of this service account allows "
        "list and watch",
    )
    return f"{name} cannot be listed: {error.message}. {advice}"
