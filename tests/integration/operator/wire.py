"""The API server for tests that ask it hundreds of things a second: JSON over aiohttp, watches that
go on where they were cut, and an event loop beside the test's own thread."""

import asyncio
import base64
import json
import ssl
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self, TypeVar

import aiohttp
import yaml

from tests.api import ApiRefusal, Json

T = TypeVar("T")

Span = tuple[float, float]
"""At least and at most so many seconds."""

RETRY_SECONDS = 0.2
PASSING = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request may succeed."""


@dataclass(frozen=True)
class Access:
    """Where a kubeconfig leads, and with what."""

    server: str
    tls: ssl.SSLContext | None
    token: str | None

    @classmethod
    def read(cls, kubeconfig: Path) -> Self:
        """Of a kubeconfig with one cluster and one user, all inline, as the control plane's is."""
        known = yaml.safe_load(kubeconfig.read_text())
        cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
        tls = None
        if authority := cluster.get("certificate-authority-data"):
            tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
        if tls and "client-certificate-data" in user:
            with NamedTemporaryFile() as pair:
                for part in ("client-certificate-data", "client-key-data"):
                    pair.write(base64.b64decode(user[part]))
                pair.flush()
                tls.load_cert_chain(pair.name)
        return cls(cluster["server"], tls, user.get("token"))

    def session(self) -> aiohttp.ClientSession:
        """Connections without a limit of their number or their time."""
        return aiohttp.ClientSession(
            self.server,
            connector=aiohttp.TCPConnector(ssl=self.tls or True, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
        )


class Wire:
    """One cluster, as somebody with that kubeconfig sees it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, kubeconfig: Path) -> AsyncIterator[Self]:
        """In the running event loop."""
        async with Access.read(kubeconfig).session() as session:
            yield cls(session)

    async def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Json:
        """Raises: ApiRefusal, aiohttp.ClientError."""
        headers = {"Content-Type": content_type} if body is not None else {}
        content = json.dumps(body) if body is not None else None
        async with self._session.request(method, path, data=content, headers=headers) as answer:
            said: Json = await answer.json(content_type=None)
            if answer.status >= 300:
                raise ApiRefusal(answer.status, said["message"])
            return said

    async def merge(self, path: str, body: Json) -> Json:
        return await self.request("PATCH", path, body, "application/merge-patch+json")

    async def create(self, path: str, body: Json) -> None:
        """Again until it is there: also past an answer that was lost."""
        try:
            await self.persist(self.request, "POST", path, body)
        except ApiRefusal as refusal:
            if refusal.status != 409:
                raise

    async def persist(self, ask: Any, *arguments: Any) -> None:
        """Again until there is an answer that is final."""
        while True:
            try:
                await ask(*arguments)
                return
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(RETRY_SECONDS)
            except ApiRefusal as refusal:
                if refusal.status not in PASSING:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def follow(self, path: str, selector: str = "") -> AsyncIterator[tuple[str, Json]]:
        """What is there, as ADDED, and then every change, for ever; nothing that happens while the
        API server is away is missed, as long as it remembers."""
        query = {"labelSelector": selector} if selector else {}
        version = ""
        while True:
            try:
                if not version:
                    answer = await self._listed(path, query)
                    version = answer["metadata"]["resourceVersion"]
                    for item in answer["items"]:
                        yield "ADDED", item
                async for kind, item in self._watched(path, query | {"resourceVersion": version}):
                    version = "" if kind == "ERROR" else item["metadata"]["resourceVersion"]
                    if kind in ("ADDED", "MODIFIED", "DELETED"):
                        yield kind, item
            except (aiohttp.ClientError, ApiRefusal, OSError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _listed(self, path: str, query: dict[str, str]) -> Json:
        async with self._session.get(path, params=query) as answer:
            answer.raise_for_status()
            listed: Json = await answer.json()
            return listed

    async def _watched(self, path: str, query: dict[str, str]) -> AsyncIterator[tuple[str, Json]]:
        asked = query | {"watch": "true", "allowWatchBookmarks": "true"}
        async with self._session.get(path, params=asked) as answer:
            answer.raise_for_status()
            rest = b""
            async for piece in answer.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]


class Background:
    """An event loop in a thread of its own; what still runs there at the end is cancelled, and then
    what was entered there is left."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._entered = AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def wait(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        return self.start(coroutine).result(timeout)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        return self.wait(self._entered.enter_async_context(context))

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._entered.aclose()


async def paced(count: int, seconds: float) -> AsyncIterator[int]:
    """0, 1, ..., one each so many seconds."""
    began = time.monotonic()
    for index in range(count):
        await asyncio.sleep(max(0.0, began + index * seconds - time.monotonic()))
        yield index
