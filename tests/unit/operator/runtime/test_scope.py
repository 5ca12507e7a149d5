import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.unit.operator.runtime.test_caches import manifest
from transcription_kube.errors import ApiError
from transcription_operator.runtime.scope import Scope

Json = dict[str, Any]


def namespace(name: str, version: int = 1) -> Json:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


class Namespaces:
    """The namespaces whose labels match: a list, and the events that a test sends."""

    name, namespace = "namespaces", None

    def __init__(self, *listed: str) -> None:
        self._listed = [namespace(each) for each in listed]
        self.events: asyncio.Queue[Json] = asyncio.Queue()

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        yield self._listed, "10"

    async def watch(self, _: str) -> AsyncIterator[Json]:
        while True:
            yield await self.events.get()

    def report(self, kind: str, name: str, version: int) -> None:
        self.events.put_nowait({"type": kind, "object": namespace(name, version)})


class Seen:
    """What a scope calls, in order.

    ``failures``: raised in place of as many lists of a namespace's TranscriptionJobs.
    """

    def __init__(self, *failures: Exception) -> None:
        self.calls: asyncio.Queue[str] = asyncio.Queue()
        self._failures = list(failures)

    async def enter(self, name: str) -> None:
        self.calls.put_nowait(f"enter {name}")
        if self._failures:
            raise self._failures.pop()

    def gone(self, name: str) -> None:
        self.calls.put_nowait(f"gone {name}")

    async def next(self) -> str:
        return await asyncio.wait_for(self.calls.get(), timeout=5)


@asynccontextmanager
async def running(source: Namespaces, seen: Seen) -> AsyncIterator[Scope]:
    scope = Scope("", source, seen.enter, seen.gone)
    tasks = [asyncio.create_task(each) for each in (scope.informers[0].run(), scope.run())]
    await asyncio.wait_for(scope.informers[0].synced.wait(), timeout=5)
    try:
        yield scope
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_jobs_of_namespaces_whose_labels_do_not_match_are_not_ours():
    async with running(Namespaces("press"), Seen()) as scope:
        assert not scope.is_ours(manifest(1))
    async with running(Namespaces("media", "press"), Seen()) as scope:
        assert scope.is_ours(manifest(1))
        other = manifest(1) | {"spec": {"operatorClassName": "research"}}
        assert not scope.is_ours(other), "of another class, in a namespace that is watched"


async def test_without_a_selector_every_namespace_is_watched():
    seen = Seen()
    scope = Scope("", None, seen.enter, seen.gone)
    assert scope.informers == []
    assert scope.is_ours(manifest(1))


async def test_a_namespace_whose_labels_come_to_match_brings_its_jobs_and_one_that_goes_is_left():
    source, seen = Namespaces("press"), Seen()
    async with running(source, seen) as scope:
        source.report("ADDED", "media", 11)
        assert await seen.next() == "enter media"
        assert scope.is_ours(manifest(1))
        # The labels changed in another way: the namespace matches as before.
        source.report("MODIFIED", "media", 12)
        source.report("DELETED", "media", 13)
        assert await seen.next() == "gone media"
        assert not scope.is_ours(manifest(1))


async def test_a_namespace_that_cannot_be_listed_is_listed_again():
    source, seen = Namespaces(), Seen(ApiError(500, "etcd is slow"))
    async with running(source, seen):
        source.report("ADDED", "media", 11)
        assert [await seen.next(), await seen.next()] == ["enter media", "enter media"]


async def test_a_namespace_that_has_gone_before_it_could_be_listed_is_left_alone():
    source, seen = Namespaces(), Seen(ApiError(500, "etcd is slow"))
    async with running(source, seen):
        source.report("ADDED", "media", 11)
        assert await seen.next() == "enter media"
        source.report("DELETED", "media", 12)
        assert await seen.next() == "gone media"
        source.report("ADDED", "press", 13)
        assert await seen.next() == "enter press"


async def test_the_namespaces_of_the_first_list_are_left_to_the_list_of_all_jobs():
    source, seen = Namespaces("media"), Seen()
    async with running(source, seen):
        source.report("ADDED", "press", 11)
        assert await seen.next() == "enter press"
