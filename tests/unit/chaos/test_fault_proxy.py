"""The proxy in front of a server that only remembers what it was asked."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiohttp import web

from tests.integration.operator.fault_proxy import FaultProxy, Faults, is_watch, resource
from tests.integration.operator.wire import Access
from tests.ports import free_ports

JOBS = "/apis/batch/v1/namespaces/media/jobs"
EVENT = b'{"type":"ADDED","object":{}}\n'


class Upstream:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.watching = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if is_watch(request.query):
            return await self._stream(request)
        text = await request.text()
        self.asked.append((request.method, request.headers.get("Authorization", ""), text))
        return web.json_response({"said": text}, status=201)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.watching += 1
        try:
            while True:
                await response.write(EVENT)
                await asyncio.sleep(0.01)
        finally:
            self.watching -= 1


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", upstream.answer)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    upstream.access = Access(f"http://127.0.0.1:{port}", None, "secret")
    yield upstream
    await runner.cleanup()


@pytest_asyncio.fixture
async def proxy(upstream: Upstream) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.open(upstream.access, random.Random(1)) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(proxy.server) as session:
        yield session


async def test_a_request_is_forwarded_with_the_operators_token(upstream, proxy, client):
    async with client.post(JOBS, data='{"a": 1}') as answer:
        assert (answer.status, await answer.json()) == (201, {"said": '{"a": 1}'})
    assert upstream.asked == [("POST", "Bearer secret", '{"a": 1}')]
    assert proxy.changes() == {("post", "jobs"): 1}


async def test_each_so_manieth_request_fails_in_one_of_three_ways(upstream, proxy, client):
    proxy.faults = Faults(every=2)
    told = []
    for _ in range(6):
        async with client.post(JOBS) as answer:
            told.append((answer.status, answer.headers.get("Retry-After")))
    assert told == [(201, None), (500, None), (201, None), (500, None), (201, None), (429, "1")]
    assert proxy.injected == {"500": 1, "answer lost": 1, "429": 1}
    assert len(upstream.asked) == 4  # one of the failures had been done


async def test_a_read_whose_answer_is_lost_was_no_more_than_a_failure(upstream, proxy, client):
    proxy.faults = Faults(every=1)
    for _ in range(3):
        async with client.get(JOBS) as answer:
            assert answer.status in (429, 500)
    assert proxy.injected == {"500": 2, "429": 1}
    assert not upstream.asked


async def hear(client: aiohttp.ClientSession, seconds: float) -> tuple[bytes, Exception | None]:
    """What a watch says in that time, and what ended it."""
    heard = b""
    try:
        async with asyncio.timeout(seconds), client.get(JOBS, params={"watch": "true"}) as answer:
            async for piece in answer.content.iter_any():
                heard += piece
    except (aiohttp.ClientError, TimeoutError) as error:
        return heard, error
    return heard, None


async def test_a_watch_is_cut_in_the_middle_of_an_event(proxy, client):
    proxy.faults = Faults(cut=(0.05, 0.05))
    heard, end = await hear(client, seconds=5)
    assert isinstance(end, aiohttp.ClientError)
    assert heard.startswith(EVENT)
    assert not heard.endswith(EVENT)
    assert proxy.injected == {"watch cut": 1}


async def test_a_stalled_watch_stays_open_and_says_nothing(upstream, proxy, client):
    proxy.faults = Faults(stall=(0.05, 0.05), stalls=1.0)
    heard, end = await hear(client, seconds=0.5)
    assert isinstance(end, TimeoutError)
    assert heard.startswith(EVENT)
    assert len(heard) < 20 * len(EVENT)
    assert proxy.injected == {"watch stalled": 1}


async def test_a_client_that_hangs_up_ends_its_watch_at_the_api_server(upstream, proxy, client):
    async with client.get(JOBS, params={"watch": "1"}) as answer:
        await answer.content.readline()
        assert upstream.watching == 1
    async with asyncio.timeout(5):
        while upstream.watching:
            await asyncio.sleep(0.01)


async def test_a_proxy_that_refuses_does_not_answer(upstream, proxy, client):
    proxy.faults.refusing = True
    with pytest.raises(aiohttp.ClientError):
        await client.post(JOBS)
    assert proxy.injected["refused"]
    assert not upstream.asked


async def test_its_kubeconfig_leads_to_it(proxy: FaultProxy, tmp_path: Path):
    written = yaml.safe_load(proxy.kubeconfig(tmp_path / "kubeconfig").read_text())
    assert written["clusters"][0]["cluster"] == {"server": proxy.server}
    assert Access.read(tmp_path / "kubeconfig") == Access(proxy.server, None, "secret")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/pods", "pods"),
        ("/api/v1/nodes/n1", "nodes"),
        ("/api/v1/namespaces/media", "namespaces"),
        ("/api/v1/namespaces/media/events", "events"),
        ("/apis/batch/v1/jobs", "jobs"),
        (f"{JOBS}/standup-1", "jobs"),
        (
            "/apis/transcription.dev/v1alpha1/namespaces/media/transcriptionjobs/a/status",
            "transcriptionjobs/status",
        ),
        ("/apis/batch", "apis"),
        ("/version", "version"),
    ],
)
def test_what_a_path_is_about(path: str, name: str):
    assert resource(path) == name
