"""Asked by HTTP, as the kubelet and Prometheus ask."""

import asyncio

import aiohttp
import pytest

from transcription_operator.runtime.health import Health, Heartbeat, stale
from transcription_operator.runtime.metrics import Metrics


@pytest.fixture
def ready():
    return asyncio.Event()


@pytest.fixture
def health(ready):
    return Health(Metrics("lease").text, ready)


async def ask(health, path):
    async with (
        health.serving("127.0.0.1", 0) as port,
        aiohttp.request("GET", f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def test_it_is_alive_without_being_ready(health):
    assert (await ask(health, "/healthz"))[:2] == (200, "ok\n")
    assert (await ask(health, "/readyz"))[:2] == (503, "not ready yet\n")


async def test_it_is_ready_once_it_says_so(health, ready):
    ready.set()
    assert (await ask(health, "/readyz"))[:2] == (200, "ok\n")


async def test_every_problem_is_named(health):
    age = 10.0
    health.check(stale("watch of pods", lambda: age, 100))
    health.check(stale("list of jobs", lambda: age + 1, 100))
    assert (await ask(health, "/healthz"))[0] == 200
    age = 200.0
    status, text, _ = await ask(health, "/healthz")
    assert status == 503
    assert text == "watch of pods: nothing for 200 s\nlist of jobs: nothing for 201 s\n"


async def test_prometheus_finds_metrics(health):
    status, text, content_type = await ask(health, "/metrics")
    assert status == 200
    assert 'workqueue_depth{name="transcriptionjobs"} 0.0' in text
    assert content_type.startswith("text/plain; version=")


async def test_a_loop_that_stood_still_shows_its_age():
    now = 0.0
    heartbeat = Heartbeat(lambda: now)
    now = 31.0
    assert heartbeat.age() == 31.0
    task = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0)
    assert heartbeat.age() == 0.0
    task.cancel()


async def test_a_port_that_is_taken_is_an_error(health):
    async with health.serving("127.0.0.1", 0) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with health.serving("127.0.0.1", port):
                pass


async def test_the_port_is_free_again_afterwards(health):
    async with health.serving("127.0.0.1", 0) as port:
        pass
    async with health.serving("127.0.0.1", port) as again:
        assert again == port
