import asyncio
from collections.abc import Callable

import pytest

from tests.unit import virtual_time
from tests.unit.operator.builders import pod
from transcription_contract import metric_names
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.caches import RunningJob
from transcription_operator.runtime.scraper import PODS_PER_JOB, QUERIES_AT_ONCE, Scraper, in_turn
from transcription_operator.runtime.worker_client import WorkerError

KEY = "media/standup"
UID = "job-uid"


def metrics(processed: float, total: float = 100.0) -> str:
    return f"{metric_names.PROCESSED_SECONDS} {processed}\n{metric_names.TOTAL_SECONDS} {total}\n"


def worker(name: str = "standup-0-abcde", **fields: object) -> ObservedPod:
    return pod(name=name, ip="10.0.0.1", **fields)


class Play:
    """Pods that answer as the test says, until it has seen enough."""

    def __init__(self, *pods: ObservedPod) -> None:
        self.pods = pods
        self.uid = UID
        self.answers: dict[str, str | Exception] = {}
        self.notified: list[str] = []
        self.queries = 0
        self.now = 0.0
        self.scraper = Scraper(self.query, self.jobs, 0.001, self.notified.append, lambda: self.now)

    def jobs(self) -> list[RunningJob]:
        return [RunningJob(self.uid, KEY, self.pods)] if self.pods else []

    async def query(self, worker: ObservedPod) -> str:
        self.queries += 1
        answer = self.answers[worker.name]
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
        readings = self.scraper.readings(self.uid)
        return readings[1].processed if readings else None


async def test_the_owner_is_notified_of_a_new_percent_only():
    play = Play(worker())
    play.answers = {"standup-0-abcde": metrics(10.2)}
    await play.until(lambda: play.queries > 5)
    assert play.notified == [KEY]
    play.answers = {"standup-0-abcde": metrics(10.9)}
    await play.until(lambda: play.latest() == 10.9)
    assert play.notified == [KEY]
    play.answers = {"standup-0-abcde": metrics(11.1)}
    await play.until(lambda: play.latest() == 11.1)
    assert play.notified == [KEY, KEY]


async def test_workers_that_do_not_answer_do_not_hide_those_that_do():
    play = Play(worker("a"), worker("b"), worker("c"))
    play.answers = {"a": WorkerError(), "b": WorkerError(), "c": metrics(42)}
    await play.until(lambda: play.latest() == 42)


async def test_new_pods_begin_a_new_reading():
    play = Play(worker("a"))
    play.answers = {"a": metrics(10)}
    await play.until(lambda: play.latest() == 10)
    play.pods = (worker("b"),)
    play.answers = {"b": metrics(30)}
    await play.until(lambda: play.latest() == 30)
    readings = play.scraper.readings(UID)
    assert readings is not None
    assert readings[0].processed == 30


async def test_a_new_job_of_the_same_owner_begins_a_new_reading():
    play = Play(worker())
    play.answers = {"standup-0-abcde": metrics(10)}
    await play.until(lambda: play.latest() == 10)
    play.uid = "next"
    assert play.latest() is None
    await play.until(lambda: play.latest() == 10)
    assert play.notified == [KEY, KEY]
    assert play.scraper.readings(UID) is None


async def test_readings_are_forgotten_with_their_pods():
    play = Play(worker())
    play.answers = {"standup-0-abcde": metrics(10)}
    await play.until(lambda: play.latest() == 10)
    play.pods = ()
    await play.until(lambda: play.latest() is None)


async def test_a_job_stands_still_since_its_last_progress():
    play = Play(worker("a"), worker("b"))
    play.answers = {"a": metrics(10), "b": metrics(20)}
    await play.until(lambda: play.latest() == 20)
    play.now = 60
    # One of them does not answer for a while: what it knew before is no progress.
    play.answers["b"] = WorkerError()
    await play.until(lambda: play.latest() == 10)
    play.answers["b"] = metrics(20)
    await play.until(lambda: play.latest() == 20)
    assert play.scraper.standstill() == 60
    play.answers["b"] = metrics(20.5)
    await play.until(lambda: play.latest() == 20.5)
    assert play.scraper.standstill() == 0


async def test_pods_that_take_turns_and_know_different_things_make_no_progress():
    pods = tuple(worker(f"{i:02}") for i in range(2 * PODS_PER_JOB))
    play = Play(*pods)
    # Each half of them knows more of one number than the other half.
    play.answers = {
        each.name: metrics(10, 200) if i < PODS_PER_JOB else metrics(20, 100)
        for i, each in enumerate(pods)
    }
    await play.until(lambda: play.queries > 4 * PODS_PER_JOB)
    play.now = 900
    await play.until(lambda: play.queries > 8 * PODS_PER_JOB)
    assert play.scraper.standstill() == 900


async def test_a_worker_that_never_answers_stands_still_since_its_start():
    play = Play(worker())
    play.answers = {"standup-0-abcde": WorkerError()}
    await play.until(lambda: play.queries > 1)
    play.now = 900
    await play.until(lambda: play.queries > 3)
    assert play.scraper.standstill() == 900
    play.pods = ()
    await play.until(lambda: play.scraper.standstill() == 0)


def test_with_many_workers_a_lap_takes_longer():
    play = Play()
    assert play.scraper._lap(10) == pytest.approx(0.1)
    assert play.scraper._lap(5000) == pytest.approx(50)


def test_the_pods_of_a_large_job_take_turns():
    pods = tuple(worker(str(i)) for i in range(3 * PODS_PER_JOB - 2))
    laps = [in_turn(pods, lap) for lap in range(3)]
    assert {len(lap) for lap in laps} == {PODS_PER_JOB}
    assert {each.name for lap in laps for each in lap} == {each.name for each in pods}


@pytest.mark.parametrize("count", [1, PODS_PER_JOB - 1, PODS_PER_JOB])
def test_the_pods_of_a_small_job_are_queried_once_in_each_lap(count):
    pods = tuple(worker(str(i)) for i in range(count))
    assert sorted(each.name for each in in_turn(pods, 5)) == [each.name for each in pods]


@pytest.mark.parametrize(
    ("jobs", "pods", "per_lap"),
    [(1, 500, PODS_PER_JOB), (100, 20, 100 * PODS_PER_JOB), (100, 1, 100)],
    ids=["one job of many pods", "many jobs of many pods", "many jobs"],
)
def test_queries_are_limited_at_once_and_in_a_lap(jobs, pods, per_lap):
    running = [
        RunningJob(str(i), KEY, tuple(worker(f"{i}-{k}") for k in range(pods))) for i in range(jobs)
    ]
    second_lap = asyncio.Event()
    laps, queries, at_once, most = 0, 0, 0, 0

    def list_jobs() -> list[RunningJob]:
        nonlocal laps
        laps += 1
        if laps == 2:
            second_lap.set()
        return running if laps == 1 else []

    async def query(_: ObservedPod) -> str:
        nonlocal queries, at_once, most
        queries += 1
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(2)
        at_once -= 1
        return metrics(1)

    async def scenario() -> None:
        scraping = asyncio.create_task(Scraper(query, list_jobs, 5, lambda _: None).run())
        await second_lap.wait()
        scraping.cancel()

    virtual_time.run(scenario())
    assert queries == per_lap
    assert most == min(QUERIES_AT_ONCE, per_lap)
