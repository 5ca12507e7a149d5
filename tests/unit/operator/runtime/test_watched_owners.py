"""TranscriptionJobs as an informer keeps them, together with the answers to our own writes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from tests.unit import virtual_time
from tests.unit.kube.test_informer import TOO_OLD, PlayedSource, event
from tests.unit.operator.runtime.test_caches import manifest
from transcription_kube.informer import Informer
from transcription_operator.policies import operator_class
from transcription_operator.runtime.owners import Owners

KEY = "media/standup"
Json = dict[str, Any]


class Play:
    """An informer's whole life.

    ``told``: the keys that should be reconciled, in order. A function among the events is called in
    its turn.
    """

    def __init__(self, lists: list[list[Json]], watches: list[list[Any]]) -> None:
        self.owners = Owners(is_ours=partial(operator_class.is_ours, class_name=""))
        self.told: list[str] = []
        self.source = _Source(lists, watches)
        self.informer = Informer(
            self.source, self.owners.store, self.owners.parse, lambda key, *_: self.told.append(key)
        )

    def run(self) -> "Play":
        virtual_time.run(self._run())
        return self

    async def _run(self) -> None:
        running = asyncio.create_task(self.informer.run())
        await self.source.done.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    def versions(self) -> dict[str, str]:
        found = ((key, self.owners.raw(key)) for key in self.owners.all())
        return {key: each["metadata"]["resourceVersion"] for key, each in found if each}


class _Source(PlayedSource):
    async def watch(self, version: str) -> Any:
        async for each in super().watch(version):
            if callable(each):
                each()
            else:
                yield each


def of_class(found: Json, name: str) -> Json:
    return found | {"spec": found["spec"] | {"operatorClassName": name}}


def running(version: int) -> Json:
    return manifest(version) | {"status": {"phase": "Running"}}


def test_what_a_dead_watch_has_missed_is_found_by_the_next_list_and_told():
    before = [manifest(3), manifest(4, name="gone"), manifest(5, name="same")]
    after = [manifest(8), manifest(7, name="new"), manifest(5, name="same")]
    play = Play([before, after], [[TOO_OLD]]).run()
    assert play.versions() == {KEY: "8", "media/new": "7", "media/same": "5"}
    assert sorted(play.told[3:]) == ["media/gone", "media/new", KEY]


def learning(play: Callable[[], Play], answer: Json) -> Callable[[], None]:
    return lambda: play().owners.learn(answer)


def after(*events: Any) -> Play:
    """What an informer that knows version 10 does with these events, and with answers among them,
    which are objects."""
    watch = [each if "type" in each else learning(lambda: play, each) for each in events]
    play = Play([[manifest(10)]], [watch])
    return play.run()


def test_a_status_that_we_wrote_is_no_news_when_the_watch_tells_of_it():
    play = after(running(11), event("MODIFIED", running(11)))
    assert play.told == [KEY], "by the first list"
    assert play.owners.phases() == {"Running": 1}


def test_events_of_before_our_write_do_not_undo_it():
    play = after(running(12), event("MODIFIED", manifest(11)))
    assert (play.told, play.owners.phases()) == ([KEY], {"Running": 1})


def test_what_somebody_else_changed_after_our_write_is_news():
    play = after(running(11), event("MODIFIED", running(11)), event("MODIFIED", manifest(12)))
    assert (play.told, play.versions()) == ([KEY, KEY], {KEY: "12"})


def test_a_deletion_after_our_write_is_told_and_one_before_it_is_of_another_object():
    play = after(running(12), event("DELETED", manifest(13)))
    assert (play.told, play.versions()) == ([KEY, KEY], {})
    play = after(running(12), event("DELETED", manifest(11)))
    assert (play.told, play.versions()) == ([KEY], {KEY: "12"})


def test_an_answer_that_comes_after_the_end_is_not_believed():
    play = after(event("DELETED", manifest(12)), running(11))
    assert play.versions() == {}


def another(version: int) -> Json:
    return manifest(version, uid="another")


RENEWED = [
    pytest.param(
        Play([[manifest(9)]], [[event("DELETED", manifest(11)), event("ADDED", another(12))]]),
        id="told by the watch",
    ),
    pytest.param(Play([[manifest(9)], [another(12)]], [[TOO_OLD]]), id="found by a list"),
]


@pytest.mark.parametrize("play", RENEWED)
def test_another_object_of_the_same_name_replaces_the_first(play):
    play.run()
    assert play.owners.uid(KEY) == "another"
    assert play.told[-1] == KEY


def others(version: int) -> Json:
    return of_class(manifest(version, uid="theirs"), "press")


TAKEN = [
    pytest.param(
        Play([[manifest(9)]], [[event("DELETED", manifest(11)), event("ADDED", others(12))]]),
        id="told by the watch",
    ),
    pytest.param(Play([[manifest(9)], [others(12)]], [[TOO_OLD]]), id="found by a list"),
    pytest.param(Play([[manifest(9)]], [[event("MODIFIED", others(12))]]), id="at once"),
]


@pytest.mark.parametrize("play", TAKEN)
def test_ours_is_gone_when_another_operators_job_has_its_name_and_that_is_no_news_later(play):
    play.run()
    assert (play.versions(), play.told) == ({}, [KEY, KEY])
    later = Play([[]], [[event("ADDED", others(11)), event("DELETED", others(12))]]).run()
    assert later.told == []


def test_the_age_of_a_phase_outlives_a_list():
    minutes = iter(range(100))
    play = Play([[running(3)], [running(8)]], [[TOO_OLD]])
    play.owners._clock = lambda: 60.0 * next(minutes)
    play.run()
    since = play.owners.since(KEY)
    assert since is not None
    assert since.timestamp() == 0, "when it was first seen"


def test_the_list_of_a_namespace_leaves_the_others_jobs_alone():
    play = Play([[manifest(3), manifest(4, name="gone")], [manifest(3)]], [[TOO_OLD]])
    play.source.namespace = "media"  # type: ignore[assignment]
    elsewhere = manifest(1)
    elsewhere["metadata"]["namespace"] = "press"
    play.owners.store.put("press/standup", play.owners.parse(elsewhere))
    play.run()
    assert set(play.owners.all()) == {KEY, "press/standup"}
