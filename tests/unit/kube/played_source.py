"""A collection whose lists and watches a test has written, and an informer that follows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from transcription_kube.informer import Informer
from transcription_kube.store import Store

Json = dict[str, Any]


def thing(name: str, version: int = 1, color: str = "red") -> Json:
    metadata = {"namespace": "media", "name": name, "resourceVersion": str(version)}
    return {"metadata": metadata, "color": color}


class PlayedSource:
    """A collection whose lists and watches a test has written down; the last watch never ends."""

    name = "things"

    namespace = None

    def __init__(self, lists: list[Any], watches: list[list[Any]]) -> None:
        self.lists = lists
        self.watches = watches
        self.versions: list[str] = []
        self.done = asyncio.Event()

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        found = self.lists.pop(0)
        if isinstance(found, Exception):
            raise found
        version = str(max([10, *(int(each["metadata"]["resourceVersion"]) for each in found)]))
        for each in found:
            yield [each], version

    async def watch(self, version: str) -> AsyncIterator[Json]:
        self.versions.append(version)
        if not self.watches:
            self.done.set()
            await asyncio.Event().wait()
        for event in self.watches.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


@dataclass(frozen=True)
class Thing:
    color: str
    version: int = field(compare=False)

    @classmethod
    def parse(cls, found: Json) -> "Thing":
        return cls(found["color"], int(found["metadata"]["resourceVersion"]))


def things() -> Store[Thing]:
    return Store(lambda _, each: each.color)


def colors(store: Store[Thing]) -> dict[str, str]:
    return {key: each.color for key, each in store.items.items()}


async def follow(
    source: PlayedSource,
    store: Store[Thing] | None = None,
    parse: Callable[[Json], Thing | None] = Thing.parse,
) -> tuple[Store[Thing], list[tuple[str | None, str | None]]]:
    """Run an informer over the whole play; what it keeps in the end, and what it told."""
    store = things() if store is None else store
    told: list[tuple[str | None, str | None]] = []

    def changed(_: str, was: Thing | None, now: Thing | None) -> None:
        told.append((was and was.color, now and now.color))

    informer = Informer(source, store, parse, changed)
    running = asyncio.create_task(informer.run())
    try:
        await asyncio.wait_for(source.done.wait(), timeout=20)
    finally:
        running.cancel()
    assert informer.synced.is_set()
    return store, told


def event(kind: str, found: Json) -> Json:
    return {"type": kind, "object": found}
