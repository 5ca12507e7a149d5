import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit import virtual_time
from transcription_kube.errors import ApiError, GoneError, UnreachableError, api_error
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


async def test_what_cannot_be_read_ends_the_informer():
    source = PlayedSource([[{"metadata": {"namespace": "media", "name": "a"}}]], [])
    with pytest.raises(KeyError):
        await Informer(source, things(), Thing.parse, lambda *_: None).run()


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


MINUTE = 60.0
DAY = 86400.0


class Server:
    """A collection of one object.

    ``watch``: what happens in each, after a bookmark. ``outage``: from when to when none answers.
    """

    name = "things"
    namespace = None

    def __init__(
        self,
        watch: Callable[[], Awaitable[object]],
        list_seconds: float = 0.1,
        outage: tuple[float, float] = (0, 0),
    ) -> None:
        self.lists: list[float] = []
        self.watches: list[float] = []
        self._watch = watch
        self._list_seconds = list_seconds
        self._outage = outage

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        self._answer()
        self.lists.append(now())
        await asyncio.sleep(self._list_seconds)
        yield [thing("a")], "10"

    async def watch(self, version: str) -> AsyncIterator[Json]:
        self._answer()
        self.watches.append(now())
        yield event("BOOKMARK", {"metadata": {"resourceVersion": version}})
        await self._watch()

    def _answer(self) -> None:
        begin, end = self._outage
        if begin <= now() < end:
            raise UnreachableError("nobody listens")


def now() -> float:
    return asyncio.get_running_loop().time()


def an_informer_of(server: Server) -> Informer[Thing]:
    return Informer(server, things(), Thing.parse, lambda *_: None)


def over(seconds: float, informer: Informer[Any]) -> list[tuple[float, float]]:
    """Its age and idleness each second of its life."""
    seen: list[tuple[float, float]] = []

    async def scenario() -> None:
        running = asyncio.create_task(informer.run())
        while now() < seconds:
            await asyncio.sleep(1)
            assert not running.done()
            seen.append((informer.age(), informer.idle()))
        running.cancel()

    virtual_time.run(scenario())
    return seen


def test_an_informer_that_stood_by_for_three_days_has_missed_nothing():
    async def scenario() -> None:
        informer = an_informer_of(Server(asyncio.Event().wait, list_seconds=20))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, virtual_time.VirtualLoop)
        loop.skip(3 * DAY)
        assert (informer.age(), informer.idle()) == (0, 0)
        running = asyncio.create_task(informer.run())
        await asyncio.sleep(10)
        assert not informer.synced.is_set()
        assert (informer.age(), informer.idle()) == (10, 10)
        running.cancel()

    virtual_time.run(scenario())


def test_a_long_outage_makes_it_old_and_never_idle_and_costs_no_list():
    server = Server(cut_after(MINUTE), outage=(MINUTE, 16 * MINUTE))
    seen = over(18 * MINUTE, an_informer_of(server))
    assert max(age for age, _ in seen) > 15 * MINUTE
    assert max(idle for _, idle in seen) <= MINUTE + 1
    assert seen[-1][0] < 2 * MINUTE
    assert len(server.lists) == 1
    assert server.watches[1] < 16.6 * MINUTE


def test_a_slow_list_before_a_watch_that_is_refused_does_not_hide_the_failure():
    server = Server(asyncio.Event().wait, list_seconds=5.2)
    server.watch = lambda _: refused()  # type: ignore[method-assign]
    over(10 * MINUTE, an_informer_of(server))
    assert len(server.lists) <= 12


async def refused() -> AsyncIterator[Json]:
    raise ApiError(403, "no watch")
    yield {}


def cut_after(seconds: float) -> Callable[[], Awaitable[None]]:
    async def cut() -> None:
        await asyncio.sleep(seconds)
        raise UnreachableError("cut")

    return cut


def test_a_watch_that_delivers_and_breaks_at_once_is_resumed_ever_more_slowly():
    server = Server(cut_after(0))
    over(10 * MINUTE, an_informer_of(server))
    assert len(server.watches) < 40
    assert server.watches[-1] - server.watches[-2] > 14


@pytest.mark.parametrize("lasted", [6.0, 45.0])
def test_a_watch_that_lasted_is_resumed_at_once(lasted):
    server = Server(cut_after(lasted))
    over(10 * MINUTE, an_informer_of(server))
    assert len(server.watches) >= 10 * MINUTE // (lasted + 0.3)
    assert len(server.lists) == 1
