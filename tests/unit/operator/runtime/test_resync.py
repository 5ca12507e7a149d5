from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from tests.unit import virtual_time
from tests.unit.operator.runtime.test_caches import manifest
from transcription_operator.policies import operator_class
from transcription_operator.runtime.owners import Owners
from transcription_operator.runtime.resync import Resync

KEY = "media/standup"


class Listed:
    """A list, and what the watch tells right after it."""

    name, namespace = "transcriptionjobs", None

    def __init__(self, version: int, *objects: dict[str, Any]) -> None:
        self.version = str(version)
        self.objects = objects
        self.then: Callable[[], object] = lambda: None

    async def pages(self) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        for each in self.objects:
            yield [each], self.version
        yield [], self.version
        self.then()

    def watch(self, version: str) -> AsyncIterator[dict[str, Any]]:
        raise AssertionError("nobody watches here")


def look(owners: Owners, source: Listed) -> list[str]:
    """The keys that had been missed."""
    missed: list[str] = []
    resync = Resync([source], owners, 300, missed.append)

    async def scenario() -> None:
        assert await resync.look() == len(missed)

    virtual_time.run(scenario())
    return missed


def knowing(*objects: dict[str, Any]) -> Owners:
    owners = Owners(is_ours=partial(operator_class.is_ours, class_name=""))
    for each in objects:
        owners.put(each)
    return owners


def test_what_a_dead_watch_has_missed_is_found():
    owners = knowing(manifest(3), manifest(4, name="gone"))
    listed = Listed(9, manifest(8), manifest(7, name="new"))
    assert set(look(owners, listed)) == {KEY, "media/gone", "media/new"}
    assert set(owners.all()) == {KEY, "media/new"}
    assert owners.version(KEY) == 8


def test_what_is_known_already_is_no_news():
    assert look(knowing(manifest(8)), Listed(9, manifest(8))) == []


def test_an_event_that_was_on_its_way_is_no_miss():
    owners = knowing(manifest(3))
    source = Listed(9, manifest(8), manifest(7, name="new"))
    source.then = lambda: [owners.put(manifest(8)), owners.put(manifest(7, name="new"))]
    assert look(owners, source) == []


def test_what_was_deleted_since_the_list_does_not_come_back():
    owners = knowing(manifest(8))
    source = Listed(9, manifest(8))
    source.then = lambda: owners.remove(manifest(10))
    assert look(owners, source) == []
    assert owners.all() == []


def test_what_was_made_and_deleted_since_it_was_known_does_not_come_back_either():
    owners = knowing()
    source = Listed(9, manifest(8))
    source.then = lambda: [owners.put(manifest(8)), owners.remove(manifest(10))]
    assert look(owners, source) == []
    assert owners.all() == []


def test_what_was_made_since_the_list_stays():
    owners = knowing()
    source = Listed(9)
    source.then = lambda: owners.put(manifest(10))
    assert look(owners, source) == []
    assert owners.all() == [KEY]


def of_class(found: dict[str, Any], name: str) -> dict[str, Any]:
    return found | {"spec": found["spec"] | {"operatorClassName": name}}


def test_jobs_of_another_class_are_no_news_unless_one_has_taken_the_name_of_one_of_ours():
    owners = knowing(manifest(3))
    listed = Listed(9, of_class(manifest(7, name="theirs"), "press"))
    assert look(owners, listed) == [KEY], "ours is gone"
    owners = knowing(manifest(3))
    assert look(owners, Listed(9, of_class(manifest(8), "press"))) == [KEY]
    assert owners.all() == []
