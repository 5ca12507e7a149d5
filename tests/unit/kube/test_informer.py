import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.kube.played_source import PlayedSource, Thing, colors, event, follow, thing, things
from transcription_kube.errors import ApiError, GoneError, UnreachableError, api_error
from transcription_kube.informer import Informer

Json = dict[str, Any]


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
TROUBLE = {"type": "ERROR", "object": {"code": 500, "message": "etcd has no leader"}}


@pytest.mark.parametrize("end", [TOO_OLD, GoneError(410, "gone")], ids=["told", "refused"])
async def test_after_a_version_that_is_too_old_everything_is_listed_again(end):
    before, after = [thing("a"), thing("b")], [thing("a", 20, "green")]
    source = PlayedSource([before, after], [[end]])
    store, told = await follow(source)
    assert colors(store) == {"media/a": "green"}
    assert ("red", None) in told
    assert source.versions == ["10", "20"]


@pytest.mark.parametrize(
    "end",
    [TROUBLE, ApiError(429, "busy"), ApiError(503, "starting"), TimeoutError(),
     ConnectionResetError(), UnreachableError("the watch broke")],
    ids=["trouble told", "busy", "trouble", "silent", "reset", "cut"],
)  # fmt: skip
async def test_a_watch_that_broke_is_resumed_from_the_last_version_without_a_list(end):
    watches = [[event("ADDED", thing("b", 11)), end], [event("ADDED", thing("c", 12))]]
    source = PlayedSource([[thing("a")]], watches)
    store, _ = await follow(source)
    assert set(store.items) == {"media/a", "media/b", "media/c"}
    assert source.versions == ["10", "11", "12"]


@pytest.mark.parametrize(
    "end", [ApiError(400, "invalid resourceVersion"), TimeoutError()], ids=["refused", "silent"]
)
async def test_a_version_that_leads_to_nothing_three_times_is_given_up(end):
    source = PlayedSource([[thing("a")], [thing("a", 20)]], [[end], [end], [end]])
    await follow(source)
    assert source.versions == ["10", "10", "10", "20"]


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


async def test_what_cannot_be_read_is_left_out_and_named_once(caplog):
    unreadable = {"metadata": {"namespace": "media", "name": "odd", "resourceVersion": "3"}}
    store = things()
    await follow(PlayedSource([[unreadable, thing("a")]], []), store)
    assert colors(store) == {"media/a": "red"}
    assert caplog.text.count("media/odd") == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_first_list_that_is_refused_ends_the_informer_with_a_sentence(status):
    source = PlayedSource([api_error(status, "things is forbidden")], [])
    informer = Informer(source, things(), Thing.parse, lambda *_: None)
    with pytest.raises(ApiError, match=f"{status}: things cannot be listed: things is forbidden"):
        await informer.run()


async def test_a_later_list_that_is_refused_is_tried_again():
    lists = [[thing("a")], ApiError(403, "the role is gone"), [thing("a", 20)]]
    source = PlayedSource(lists, [[TOO_OLD]])
    await follow(source)
    assert source.versions == ["10", "20"]


class Part:
    """A list of a part of the things, which a test lets pass; ``asked``: somebody waits for it."""

    name, namespace = "things", "media"

    def __init__(self, *objects: Json) -> None:
        self._objects = list(objects)
        self.asked, self.passes = asyncio.Event(), asyncio.Event()

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        self.asked.set()
        await self.passes.wait()
        yield self._objects, "20"

    def watch(self, version: str) -> AsyncIterator[Json]:
        raise AssertionError("nobody watches it")


class Told:
    """A collection that is empty at first, and then has the events that a test sends."""

    name, namespace = "things", None

    def __init__(self) -> None:
        self.events: asyncio.Queue[Json] = asyncio.Queue()

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        yield [], "10"

    async def watch(self, version: str) -> AsyncIterator[Json]:
        while True:
            yield await self.events.get()


async def test_what_is_deleted_while_a_part_is_listed_does_not_stay():
    """Its deletion is told before its list has arrived."""
    source, part, store = Told(), Part(thing("a", 15), thing("b", 16)), things()
    ended = asyncio.Event()

    def changed(key: str, _: Thing | None, now: Thing | None) -> None:
        if key == "media/end":
            ended.set()

    informer = Informer(source, store, Thing.parse, changed)
    running = asyncio.create_task(informer.run())
    await informer.synced.wait()
    entering = asyncio.create_task(informer.enter(part))
    await part.asked.wait()
    for each in (event("DELETED", thing("a", 21)), event("ADDED", thing("end", 22))):
        source.events.put_nowait(each)
    while source.events.qsize() > 1:
        await asyncio.sleep(0)
    part.passes.set()
    await entering
    await asyncio.wait_for(ended.wait(), timeout=5)
    running.cancel()
    assert set(store.items) == {"media/b", "media/end"}


async def test_what_parse_leaves_out_is_not_kept_and_leaves_when_it_comes_to_that():
    def reds(found: Json) -> Thing | None:
        return Thing.parse(found) if found["color"] == "red" else None

    watch = [
        event("ADDED", thing("c", 11, "blue")),
        event("MODIFIED", thing("a", 12, "blue")),
        event("DELETED", thing("c", 13, "blue")),
    ]
    source = PlayedSource([[thing("a"), thing("b"), thing("d", 1, "blue")]], [watch])
    store, told = await follow(source, parse=reds)
    assert colors(store) == {"media/b": "red"}
    assert told == [(None, "red"), (None, "red"), ("red", None)]


async def test_a_page_does_not_keep_others_from_their_turn():
    """Not more than 50 objects are parsed between two of them."""
    turns, parsed = 0, list[int]()

    def parse(found: Json) -> Thing:
        parsed.append(turns)
        return Thing.parse(found)

    class Page(PlayedSource):
        async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
            yield [thing(str(number)) for number in range(500)], "10"

    source = Page([], [])
    informer = Informer(source, things(), parse, lambda *_: None)
    running = asyncio.create_task(informer.run())
    while not source.done.is_set():
        turns += 1
        await asyncio.sleep(0)
    running.cancel()
    assert len(parsed) == 500
    assert max(Counter(parsed).values()) <= 50
