import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from transcription_kube.errors import ApiError
from transcription_kube.informer import Informer, Store

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
    source: PlayedSource, store: Store[Thing] | None = None
) -> tuple[Store[Thing], list[tuple[str | None, str | None]]]:
    """Run an informer over the whole play; what it keeps in the end, and what it told."""
    store = things() if store is None else store
    told: list[tuple[str | None, str | None]] = []

    def changed(was: Thing | None, now: Thing | None) -> None:
        told.append((was and was.color, now and now.color))

    informer = Informer(source, store, Thing.parse, changed)
    running = asyncio.create_task(informer.run())
    try:
        await asyncio.wait_for(source.done.wait(), timeout=20)
    finally:
        running.cancel()
    assert informer.synced.is_set()
    return store, told


def event(kind: str, found: Json) -> Json:
    return {"type": kind, "object": found}


async def test_what_is_listed_and_what_changes_is_kept_and_told():
    watch = [
        event("ADDED", thing("b", 11, "blue")),
        event("MODIFIED", thing("a", 12, "green")),
        event("BOOKMARK", {"metadata": {"resourceVersion": "13"}}),
        event("DELETED", thing("b", 14, "blue")),
    ]
    source = PlayedSource([[thing("a")]], [watch])
    store, told = await follow(source)
    assert colors(store) == {"media/a": "green"}
    assert told == [(None, "red"), (None, "blue"), ("red", "green"), ("blue", None)]
    assert source.versions == ["10", "14"]


async def test_a_change_of_what_is_not_kept_is_not_told():
    source = PlayedSource([[thing("a")]], [[event("MODIFIED", thing("a", 11))]])
    assert (await follow(source))[1] == [(None, "red")]


TOO_OLD = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}


@pytest.mark.parametrize(
    "end",
    [TOO_OLD, ApiError(410, "gone"), TimeoutError(), ConnectionResetError()],
    ids=["too old", "gone", "silent", "cut"],
)
async def test_after_a_watch_that_broke_everything_is_listed_again(end):
    before, after = [thing("a"), thing("b")], [thing("a", 20, "green")]
    source = PlayedSource([before, after], [[end]])
    store, told = await follow(source)
    assert colors(store) == {"media/a": "green"}
    assert ("red", None) in told


async def test_a_list_that_fails_is_tried_again():
    source = PlayedSource([ApiError(500, "etcd"), OSError("refused"), [thing("a")]], [])
    store, _ = await follow(source)
    assert len(store) == 1


def test_a_store_finds_objects_by_their_index_as_they_move():
    store = things()
    red, blue = Thing("red", 1), Thing("blue", 2)
    store.put("media/a", red)
    store.put("media/b", red)
    store.put("media/a", blue)
    assert (store.group("red"), store.group("blue")) == ((red,), (blue,))
    store.put("media/b", None)
    assert store.group("red") == ()


async def test_what_was_learned_from_an_answer_and_is_gone_from_the_list_goes_too():
    store = things()
    store.learn("media/ghost", Thing("red", 9))
    store, told = await follow(PlayedSource([[thing("a")]], []), store)
    assert colors(store) == {"media/a": "red"}
    assert ("red", None) in told


async def test_what_was_learned_from_an_answer_outlives_older_news_of_its_name():
    store = things()
    store.learn("media/a", Thing("blue", 15))
    watch = [event("MODIFIED", thing("a", 11)), event("DELETED", thing("a", 12))]
    store, _ = await follow(PlayedSource([[]], [watch]), store)
    assert colors(store) == {"media/a": "blue"}


@pytest.mark.parametrize("namespace", [None, "media"])
def test_an_answer_that_the_watch_has_overtaken_is_not_believed(namespace):
    store = things()
    store.heard[namespace] = 12
    store.learn("media/gone", Thing("red", 12))
    store.learn("media/new", Thing("red", 13))
    store.learn("media/new", Thing("blue", 13))
    assert colors(store) == {"media/new": "red"}
