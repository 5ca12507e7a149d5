"""An API server that is away, refuses or is slow, by a clock that the test turns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.unit import virtual_time
from tests.unit.kube.played_source import Thing, event, thing, things
from transcription_kube.errors import ApiError, UnreachableError
from transcription_kube.informer import Informer

Json = dict[str, Any]


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
