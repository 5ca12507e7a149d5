"""A proxy between the operator and the API server, for what goes wrong between the two.

It listens without TLS on a loopback address, has a kubeconfig of its own, and forwards with the
operator's token. It also counts what was asked, so that it can tell who wrote what how often.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp
import yaml
from aiohttp import web

from tests.integration.operator.wire import Access, Span
from tests.ports import free_ports

_PLURAL = {"api": 3, "apis": 4}
"""Where in /api/v1/pods and /apis/batch/v1/jobs the plural stands, without a namespace."""
_FORWARDED = ("Accept", "Content-Type", "User-Agent")
_RETURNED = ("Content-Type", "Retry-After")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Faults:
    """What goes wrong; each may be changed at any time.

    ``every``: each so manieth request fails, in turn as 429 with Retry-After, as 500, and as 500
    though it was done (an answer that got lost); 0 for none. ``cut``: watches end within a piece
    of an event, so long after they began. ``stall``: so long after they began, watches say nothing
    any more, and stay open. ``stalls``: the share of watches that stall and are not cut.
    ``refusing``: connections are closed without an answer.
    """

    every: int = 0
    cut: Span | None = None
    stall: Span | None = None
    stalls: float = 0.0
    refusing: bool = False


class FaultProxy:
    """Serves until closed.

    ``injected``: how many faults of each kind there were. ``asked``: how many requests that were
    forwarded, by verb (``get``, ``watch``, ``post``, ...) and resource, such as
    ``("patch", "transcriptionjobs/status")``.
    """

    def __init__(
        self, access: Access, upstream: aiohttp.ClientSession, chance: random.Random
    ) -> None:
        self.faults = Faults()
        self.injected: Counter[str] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self._access = access
        self._upstream = upstream
        self._chance = chance
        self._requests = 0
        (self._port,) = free_ports(1)

    @property
    def server(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    @classmethod
    @asynccontextmanager
    async def open(cls, access: Access, chance: random.Random) -> AsyncIterator[Self]:
        """In front of the API server of that access, in the running event loop."""
        async with access.session() as upstream:
            proxy = cls(access, upstream, chance)
            application = web.Application(client_max_size=1 << 24)
            application.router.add_route("*", "/{path:.*}", proxy._answer)
            # A client that hangs up ends its watch here, and so at the API server.
            runner = web.AppRunner(
                application, handler_cancellation=True, access_log=None, shutdown_timeout=0
            )
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", proxy._port).start()
                yield proxy
            finally:
                await runner.cleanup()

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads here."""
        named = {"cluster": "proxy", "user": "operator", "context": "proxy"}
        contents = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": self.server}}],
            "users": [{"name": "operator", "user": {"token": self._access.token}}],
            "contexts": [{"name": "proxy", "context": named}],
            "current-context": "proxy",
        }
        path.write_text(yaml.safe_dump(contents))
        return path

    def changes(self) -> dict[tuple[str, str], int]:
        """How many requests that change something were forwarded, by verb and resource."""
        return {key: count for key, count in self.asked.items() if key[0] not in ("get", "watch")}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        faults = self.faults
        if faults.refusing:
            self.injected["refused"] += 1
            return _hung_up(request)
        self._requests += 1
        lost = False
        if faults.every and self._requests % faults.every == 0:
            kind = ("429", "500", "lost")[self._requests // faults.every % 3]
            # An answer is only lost on something that was done; else it is a mere 500.
            lost = kind == "lost" and request.method not in _READING
            self.injected["answer lost" if lost else "429" if kind == "429" else "500"] += 1
            if not lost:
                return _failure(429 if kind == "429" else 500)
        verb = "watch" if is_watch(request.query) else request.method.lower()
        self.asked[(verb, resource(request.path))] += 1
        try:
            if verb == "watch":
                return await self._watch(request)
            answer = await self._forwarded(request)
        except (aiohttp.ClientError, OSError):
            return _hung_up(request)
        return _failure(500) if lost else answer

    async def _forwarded(self, request: web.Request) -> web.Response:
        async with self._request(request, await request.read()) as answer:
            kept = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        fate, span = self._fate()
        async with self._request(request, None) as answer:
            response = web.StreamResponse(status=answer.status)
            response.content_type = "application/json"
            await response.prepare(request)
            try:
                async with asyncio.timeout(self._chance.uniform(*span) if span else None):
                    async for piece in answer.content.iter_any():
                        await response.write(piece)
                return response
            except TimeoutError:
                self.injected[fate] += 1
            if fate == "watch stalled":
                # The handler is cancelled when the client has had enough.
                await asyncio.Event().wait()
            await response.write(b'{"type":"MODIFIED","obj')
            return _hung_up(request)

    def _fate(self) -> tuple[str, Span | None]:
        if self.faults.stall and self._chance.random() < self.faults.stalls:
            return "watch stalled", self.faults.stall
        return "watch cut", self.faults.cut

    def _request(
        self, request: web.Request, body: bytes | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        return self._upstream.request(
            request.method, request.rel_url, data=body, headers=headers,
            skip_auto_headers=("Content-Type",),
        )  # fmt: skip


def resource(path: str) -> str:
    """The plural of an API path, and its subresource: transcriptionjobs/status, jobs, leases."""
    words = path.strip("/").split("/")
    at = _PLURAL.get(words[0], 0) - 1
    if at < 1 or len(words) <= at:
        return words[0]
    if words[at] == "namespaces" and len(words) > at + 2:
        at += 2
    return "/".join([words[at], *words[at + 2 :]])


def is_watch(query: Mapping[str, str]) -> bool:
    """Whether the answer would have no end."""
    return query.get("watch", "false").lower() in ("1", "true")


def _failure(code: int) -> web.Response:
    told = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "a fault that the test injected",
        "code": code,
    }
    headers = {"Retry-After": "1"} if code == 429 else {}
    return web.json_response(told, status=code, headers=headers)


def _hung_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response(status=502)
