"""Against a real HTTP server on this machine that answers as it is told."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.unit.operator.builders import pod
from transcription_operator.runtime.worker_client import MAX_BYTES, WorkerClient, WorkerError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer, timeout: float = 20) -> AsyncIterator[WorkerClient]:
    """A client of workers that all answer like this."""
    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    client = WorkerClient(runner.addresses[0][1], timeout)
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


WORKER = pod(ip="127.0.0.1")


async def test_an_answer_in_pieces_is_read_to_its_end():
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"transcription_wor", b"ker_items 7\n"):
            await response.write(piece)
            await asyncio.sleep(0)
        return response

    async with answering(slowly) as client:
        assert await client.query(WORKER) == "transcription_worker_items 7\n"


async def test_an_answer_without_an_end_is_cut():
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    async with answering(endless) as client:
        assert len(await client.query(WORKER)) == MAX_BYTES


async def test_a_compressed_answer_is_not_expanded():
    bomb = gzip.compress(bytes(20 << 20))

    async def compressed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with answering(compressed) as client:
        assert len(await client.query(WORKER)) <= len(bomb)


async def refuse(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503)


async def redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://169.254.169.254/")


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("answer", [refuse, hang_up, hang])
async def test_a_worker_that_does_not_answer_is_one_error(answer):
    async with answering(answer, timeout=0.2) as client:
        with pytest.raises(WorkerError, match="/metrics"):
            await client.query(WORKER)


async def test_a_redirection_is_not_followed():
    async with answering(redirect) as client:
        assert "302" in await client.query(WORKER)


async def test_an_address_that_is_none_is_one_error():
    async with answering(refuse) as client:
        with pytest.raises(WorkerError):
            await client.query(pod(ip="fe80::zz"))
