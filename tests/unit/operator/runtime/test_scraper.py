import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from tests.unit.operator.builders import pod
from transcription_contract import metric_names
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.scraper import Scraper

KEY = "media/standup"


def metrics(processed: float, total: float = 100.0) -> str:
    return f"{metric_names.PROCESSED_SECONDS} {processed}\n{metric_names.TOTAL_SECONDS} {total}\n"


def worker(name: str = "standup-0-abcde", **fields: object) -> ObservedPod:
    return pod(name=name, owner=KEY, ip="10.0.0.1", **fields)


class Play:
    """Pods that answer as the test says, until it has seen enough."""

    def __init__(self, *pods: ObservedPod) -> None:
        self.pods = {f"media/{each.name}": each for each in pods}
        self.answers: dict[str, str | Exception] = {}
        self.told: list[str] = []
        self.asked = 0
        self.now = 0.0
        self.scraper = Scraper(self.ask, self.workers, 0.001, self.told.append, lambda: self.now)

    def workers(self) -> list[tuple[str, ObservedPod]]:
        return [(KEY, each) for each in self.pods.values()]

    async def ask(self, _: str, asked: ObservedPod) -> str:
        self.asked += 1
        answer = self.answers[asked.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, enough: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.scraper.run())
        try:
            async with asyncio.timeout(20):
                while not enough():
                    await asyncio.sleep(0)
        finally:
            running.cancel()

    def latest(self) -> float | None:
        readings = self.scraper.readings(KEY)
        return readings[1].processed if readings else None


async def test_only_a_new_percent_is_told():
    play = Play(worker())
    play.answers = {"standup-0-abcde": metrics(10.2)}
    await play.until(lambda: play.asked > 5)
    assert play.told == [KEY]
    play.answers = {"standup-0-abcde": metrics(10.9)}
    await play.until(lambda: play.latest() == 10.9)
    assert play.told == [KEY]
    play.answers = {"standup-0-abcde": metrics(11.1)}
    await play.until(lambda: play.latest() == 11.1)
    assert play.told == [KEY, KEY]


async def test_workers_that_do_not_answer_hide_nothing_of_those_that_do():
    play = Play(worker("a"), worker("b"), worker("c"))
    play.answers = {"a": aiohttp.ClientConnectionError(), "b": TimeoutError(), "c": metrics(42)}
    await play.until(lambda: play.latest() == 42)


async def test_new_pods_begin_a_new_reading():
    play = Play(worker("a"))
    play.answers = {"a": metrics(10)}
    await play.until(lambda: play.latest() == 10)
    play.pods.clear()
    play.pods["media/b"] = worker("b")
    play.answers = {"b": metrics(30)}
    await play.until(lambda: play.latest() == 30)
    readings = play.scraper.readings(KEY)
    assert readings is not None
    assert readings[0].processed == 30


async def test_what_a_job_said_is_forgotten_with_its_pods():
    play = Play(worker())
    play.answers = {"standup-0-abcde": metrics(10)}
    await play.until(lambda: play.latest() == 10)
    play.pods.clear()
    await play.until(lambda: play.latest() is None)


async def test_a_job_stands_still_from_when_its_workers_last_got_on():
    play = Play(worker("a"), worker("b"))
    play.answers = {"a": metrics(10), "b": metrics(20)}
    await play.until(lambda: play.latest() == 20)
    play.now = 60
    # One of them is not heard for a while: what it knew already is nothing new.
    play.answers["b"] = TimeoutError()
    await play.until(lambda: play.latest() == 10)
    play.answers["b"] = metrics(20)
    await play.until(lambda: play.latest() == 20)
    assert play.scraper.standstill() == 60
    play.answers["b"] = metrics(20.5)
    await play.until(lambda: play.latest() == 20.5)
    assert play.scraper.standstill() == 0


async def test_a_worker_that_never_answers_stands_still_from_when_it_began():
    play = Play(worker())
    play.answers = {"standup-0-abcde": TimeoutError()}
    await play.until(lambda: play.asked > 1)
    play.now = 900
    await play.until(lambda: play.asked > 3)
    assert play.scraper.standstill() == 900
    play.pods.clear()
    await play.until(lambda: play.scraper.standstill() == 0)


def test_with_many_workers_each_is_asked_less_often():
    play = Play()
    assert play.scraper._lap(10) == pytest.approx(0.1)
    assert play.scraper._lap(5000) == pytest.approx(50)
