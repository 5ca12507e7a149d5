import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.virtual_time import run
from transcription_kube.errors import ApiError
from transcription_kube.permitted import IfPermitted

FORBIDDEN = ApiError(403, 'events is forbidden: User "x" cannot list resource "events"')


class Source:
    """Answers each list and each watch with the next of the answers: an error, or what it has."""

    name = "events"
    namespace = None

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    async def pages(self) -> AsyncIterator[tuple[list[Any], str]]:
        for page in self._next():
            yield page

    async def watch(self, _: str) -> AsyncIterator[Any]:
        for event in self._next():
            yield event

    def _next(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def test_a_forbidden_list_is_asked_for_every_few_minutes_and_logged_once(caplog):
    async def scenario():
        source = Source(FORBIDDEN, FORBIDDEN, [([1], "7")])
        permitted = IfPermitted(source, "nothing is shown")
        assert [page async for page in permitted.pages()] == [([1], "7")]
        assert loop_time() == 600

    run(scenario())
    (record,) = caplog.records
    assert "events are not watched, so nothing is shown" in record.getMessage()


def test_a_forbidden_watch_ends_after_some_minutes():
    async def scenario():
        permitted = IfPermitted(Source(FORBIDDEN, [1, 2]), "nothing is shown")
        assert [event async for event in permitted.watch("7")] == []
        assert loop_time() == 300
        assert [event async for event in permitted.watch("7")] == [1, 2]

    run(scenario())


def test_every_other_error_is_the_informers():
    async def scenario():
        permitted = IfPermitted(Source(ApiError(410, "too old"), ApiError(500, "no")), "")
        with pytest.raises(ApiError, match="410"):
            await anext(permitted.watch("7"))
        with pytest.raises(ApiError, match="500"):
            await anext(permitted.pages())

    run(scenario())
