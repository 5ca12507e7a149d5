"""Our own caches of what the API server has: a list, then a watch, then a list again.

kopf keeps whole objects and watches without a selector, which for Jobs and pods would be all of the
cluster's; these keep a projection of a few fields
(https://github.com/nolar/kopf/issues/1163). A watch that says nothing for longer than the API
server's bookmarks take is cut and begun anew, since a silent one cannot be told from a dead one.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from transcription_kube.errors import ApiError, KubeError

Json = dict[str, Any]

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 30.0
_SHORT_WATCH_SECONDS = 5.0
log = logging.getLogger(__name__)


class Versioned(Protocol):
    """What is kept of an object; its resourceVersion does not count when two are compared."""

    @property
    def version(self) -> int:
        """resourceVersions of one resource can be compared as numbers since Kubernetes 1.35
        (https://github.com/kubernetes/enhancements/issues/5504), and could always be in etcd's."""


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


class Store(Generic[T]):
    """Objects by namespace/name, and by an index.

    ``index``: namespace/name and the object -> the value to find it by, or None.
    ``heard``: the resourceVersion up to which all changes have been told, by namespace (None:
    all of them).
    """

    def __init__(self, index: Callable[[str, T], str | None]) -> None:
        self.heard: dict[str | None, int] = {}
        self._index = index
        self._items: dict[str, T] = {}
        self._groups: dict[str, dict[str, T]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> Mapping[str, T]:
        """Everything, by namespace/name."""
        return self._items

    def get(self, key: str) -> T | None:
        """The object namespace/name."""
        return self._items.get(key)

    def group(self, value: str) -> tuple[T, ...]:
        """All objects with that value of the index, by name."""
        found = self._groups.get(value)
        return tuple(found[key] for key in sorted(found)) if found else ()

    def counts(self) -> dict[str, int]:
        """How many objects there are of each value of the index."""
        return {value: len(group) for value, group in self._groups.items()}

    def put(self, key: str, item: T | None) -> T | None:
        """Set or (with None) remove an object; what was there before."""
        before = self._items.pop(key, None)
        if before is not None and (old := self._index(key, before)) is not None:
            group = self._groups[old]
            group.pop(key, None)
            if not group:
                del self._groups[old]
        if item is not None:
            self._items[key] = item
            if (new := self._index(key, item)) is not None:
                self._groups[new][key] = item
        return before

    def learn(self, key: str, item: T) -> None:
        """Keep what the API server answered to a request, unless a watch was quicker and has told
        of that moment already, and perhaps of the object's end."""
        heard = self.heard.get(key.partition("/")[0]) or self.heard.get(None) or 0
        known = self.get(key)
        if item.version > max(heard, known.version if known else 0):
            self.put(key, item)


class Informer(Generic[T]):
    """Keeps a store like what the API server has.

    Args:
        source: what to list and watch.
        store: what to keep it in; several informers, of a namespace each, may share one.
        parse: an object to what is kept of it.
        changed: called with what was, and what is, for each difference.
    """

    def __init__(
        self,
        source: Source,
        store: Store[T],
        parse: Callable[[Json], T],
        changed: Callable[[T | None, T | None], None],
    ) -> None:
        self._source = source
        self._store = store
        self._parse = parse
        self._changed = changed
        self._heard = time.monotonic()
        self.synced = asyncio.Event()

    @property
    def name(self) -> str:
        """What it watches."""
        return self._source.name

    def age(self) -> float:
        """Seconds since the API server was last heard of."""
        return time.monotonic() - self._heard

    async def run(self) -> None:
        """Follow the API server until cancelled."""
        failures = 0
        version: str | None = None
        while True:
            began = time.monotonic()
            try:
                version = await self._list() if version is None else version
                version = await self._follow(version)
            except (KubeError, OSError, TimeoutError) as error:
                version = None
                log.warning("watching %s: %s", self.name, error or type(error).__name__)
            # What ends at once, well or badly, is not to be hammered.
            failures = failures + 1 if time.monotonic() - began < _SHORT_WATCH_SECONDS else 0
            if failures:
                await self._pause(failures - 1)

    async def _pause(self, failures: int) -> None:
        wait = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(failures, 10))
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))

    async def _list(self) -> str:
        found: dict[str, T] = {}
        version = "0"
        async for objects, at in self._source.pages():
            self._heard = time.monotonic()
            version = at
            found |= {_key(each): self._parse(each) for each in objects}
        for key in [each for each in self._store.items if self._is_mine(each)]:
            if key not in found:
                self._set(key, None, int(version))
        for key, item in found.items():
            self._set(key, item, item.version)
        self._store.heard[self._source.namespace] = int(version)
        self.synced.set()
        return version

    def _is_mine(self, key: str) -> bool:
        return self._source.namespace in (None, key.partition("/")[0])

    async def _follow(self, version: str) -> str:
        async for event in self._source.watch(version):
            self._heard = time.monotonic()
            kind, changed = event["type"], event["object"]
            if kind == "ERROR":
                raise ApiError(int(changed.get("code", 500)), str(changed.get("message", "")))
            version = changed["metadata"]["resourceVersion"]
            self._store.heard[self._source.namespace] = int(version)
            if kind != "BOOKMARK":
                item = None if kind == "DELETED" else self._parse(changed)
                self._set(_key(changed), item, int(version))
        return version

    def _set(self, key: str, item: T | None, version: int) -> None:
        before = self._store.get(key)
        if before and version < before.version:
            return
        self._store.put(key, item)
        if before != item:
            self._changed(before, item)


def _key(manifest: Json) -> str:
    metadata = manifest["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"
