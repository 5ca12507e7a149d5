"""Watches that go on where they were cut, from a server that cuts them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest_asyncio
from aiohttp import web

from tests.integration.operator.wire import Access, Background, Wire
from tests.ports import free_ports


class Server:
    """Lists one object; each watch is the next of ``watches``, and then the connection is cut."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.watches: list[list[dict]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            self.asked.append("list")
            return web.json_response({"metadata": {"resourceVersion": "5"}, "items": [named("a")]})
        self.asked.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        for event in self.watches.pop(0):
            text = json.dumps(event)
            await response.write(text[:7].encode())
            await response.write(f"{text[7:]}\n".encode())
        await response.write(b'{"type": "ADD')
        request.transport.abort()
        return response


def named(name: str, version: str = "5") -> dict:
    return {"metadata": {"name": name, "resourceVersion": version}}


def event(kind: str, name: str, version: str) -> dict:
    return {"type": kind, "object": named(name, version)}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    application = web.Application()
    application.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.access = Access(f"http://127.0.0.1:{port}", None, None)
    yield server
    await runner.cleanup()


async def followed(server: Server, count: int) -> list[tuple[str, str]]:
    heard = []
    async with server.access.session() as session:
        async for kind, item in Wire(session).follow("/jobs"):
            heard.append((kind, item["metadata"]["name"]))
            if len(heard) == count:
                return heard
    return heard


async def test_a_watch_that_was_cut_goes_on_where_it_was(server: Server):
    server.watches = [[event("ADDED", "b", "6"), event("BOOKMARK", "", "8")], [],
                      [event("DELETED", "b", "9")]]  # fmt: skip
    assert await followed(server, 3) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "b")]
    assert server.asked == ["list", "5", "8", "8"]


async def test_what_the_api_server_has_forgotten_is_listed_anew(server: Server):
    gone = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}
    server.watches = [[gone], [event("ADDED", "b", "6")]]
    assert await followed(server, 3) == [("ADDED", "a"), ("ADDED", "a"), ("ADDED", "b")]
    assert server.asked == ["list", "5", "list", "5"]


def test_what_was_entered_in_the_background_is_left_after_its_tasks():
    log: list[str] = []

    @asynccontextmanager
    async def surroundings() -> AsyncIterator[None]:
        yield
        log.append("left")

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")

    with Background() as background:
        background.enter(surroundings())
        background.start(works())
        background.wait(asyncio.sleep(0))
    assert log == ["ended", "left"]
