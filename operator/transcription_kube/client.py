"""Requests to the API server: paced, retried where nothing was done, and counted.

Objects travel as the JSON that the API server speaks; which paths there are is the caller's matter.
"""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from transcription_kube.access import Access, find_access, proxy_of_environment
from transcription_kube.errors import ApiError, TooLargeError, UnreachableError, api_error, words
from transcription_kube.throttle import FairBucket, Retries, retry_after

Json = dict[str, Any]
Query = list[tuple[str, str]]
Count = Callable[[str, str, str], None]
"""Told of each answer: verb, resource, and HTTP status or ``error``."""

_JSON = "application/json"
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_ERROR_BYTES = 300
_TOO_MANY_REQUESTS = 429
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: Query | None = None
    body: Json | None = None
    content_type: str = _JSON
    most_bytes: int | None = None


class ApiClient:
    """Connections to one API server.

    Args:
        access: its address and our credentials.
        qps: requests a second, after ``burst`` of them at once; watches do not count. Namespaces
            share them equally.
        count: told of each answer.
        retries: when to try again.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        access: Access,
        *,
        qps: float = 50.0,
        burst: int = 100,
        count: Count = lambda _verb, _resource, _code: None,
        retries: Retries = Retries(),  # noqa: B008  # frozen
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._access = access
        self._bucket = FairBucket(qps, burst)
        self._count = count
        self._retries = retries
        self._sleep = sleep
        # Once, not by trust_env: that asks two threads before each request, of which one looks for
        # a .netrc, whose password would replace our token.
        self._proxy = access.proxy or proxy_of_environment(access.server)
        # No limit of connections: with a watch for each of many namespaces, they would use it up.
        self._web = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=_TIMEOUT)

    @classmethod
    async def connect(cls, **arguments: Any) -> Self:
        """As the pod's service account, or outside a cluster by KUBECONFIG.

        Args:
            arguments: the constructor's, but for access.

        Raises:
            UnreachableError: there are no credentials.
        """
        return cls(await find_access(), **arguments)

    async def close(self) -> None:
        """Close every connection."""
        self._access.close()
        await self._web.close()

    async def request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Json | None = None,
        content_type: str = _JSON,
        most_bytes: int | None = None,
    ) -> Json:
        """What the API server answers, as JSON.

        Raises:
            ApiError: it refused; see Retries for what is tried again.
            TooLargeError: the answer has more than ``most_bytes``.
            UnreachableError: it did not answer, or something between us answered in its place.
        """
        content = await self._insist(_Request(method, path, query, body, content_type, most_bytes))
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            beginning = content[:_ERROR_BYTES].decode(errors="replace")
            raise UnreachableError(
                f"{method} {path}: the answer is not a JSON object; a proxy may have sent it: "
                f"{beginning}"
            )
        return answer

    async def open_watch(self, path: str, query: Query, read_timeout: float) -> AsyncIterator[Json]:
        """The events of a watch; it ends when the server ends it.

        Args:
            path: of the collection.
            query: with ``watch`` in it.
            read_timeout: seconds of silence after which the connection counts as dead.

        Raises:
            ApiError: the server refused; GoneError when the resourceVersion is too old.
            TimeoutError: nothing was heard for ``read_timeout``.
            UnreachableError: the connection broke.
        """
        resource = described("GET", path)[1]
        silence = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=read_timeout)
        try:
            async with self._open(_Request("GET", path, query), silence) as answer:
                self._count("watch", resource, str(answer.status))
                if answer.status != 200:
                    raise error_of(
                        answer.status, await answer.read(), answer.headers.get("Retry-After")
                    )
                async for line in _lines(answer.content.iter_any()):
                    yield json.loads(line)
        except aiohttp.SocketTimeoutError as error:
            raise TimeoutError(f"nothing was heard for {read_timeout:g} s") from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise UnreachableError(f"the watch of {path} broke: {words(error)}") from error

    async def _insist(self, request: _Request) -> bytes:
        clock = asyncio.get_running_loop().time
        await self._take_turn(request.path)
        begin = clock()
        tried = 0
        while True:
            tried += 1
            try:
                return await self._send(request)
            except (ApiError, UnreachableError) as error:
                wait = self._retries.wait(tried, clock() - begin, error, random.random())
                if wait is None or not may_retry(error):
                    raise
                log.debug("trying again in %.1f s: %s", wait, error)
            await self._sleep(wait)
            await self._take_turn(request.path)

    async def _take_turn(self, path: str) -> None:
        wait = self._bucket.reserve(namespace_of(path), asyncio.get_running_loop().time())
        if wait > 0:
            await self._sleep(wait)

    async def _send(self, request: _Request) -> bytes:
        verb, resource = described(request.method, request.path)
        try:
            async with self._open(request, _TIMEOUT) as answer:
                content = await _content(answer, request.most_bytes)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._count(verb, resource, "error")
            raise UnreachableError(f"{request.method} {request.path}: {words(error)}") from error
        self._count(verb, resource, str(answer.status))
        if not 200 <= answer.status <= 299:
            raise error_of(answer.status, content, answer.headers.get("Retry-After"))
        return content

    def _open(
        self, request: _Request, timeout: aiohttp.ClientTimeout
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {"Accept": _JSON, "Content-Type": request.content_type}
        if authorization := self._access.authorization():
            headers["Authorization"] = authorization
        return self._web.request(
            request.method,
            self._access.server + request.path,
            params=request.query,
            data=None if request.body is None else json.dumps(request.body).encode(),
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            ssl=self._access.tls or True,
            server_hostname=self._access.server_name,
            proxy=self._proxy,
        )


def may_retry(error: ApiError | UnreachableError) -> bool:
    """Whether a request that failed like this was certainly not carried out, and may soon be."""
    if isinstance(error, ApiError):
        return error.status == _TOO_MANY_REQUESTS and error.retry_after is not None
    return isinstance(error.__cause__, aiohttp.ClientConnectorError)


def described(method: str, path: str) -> tuple[str, str]:
    """The verb and the resource of RBAC, such as ("patch", "pods/status")."""
    segments = path.strip("/").split("/")
    parts = segments[2:] if segments[0] == "api" else segments[3:]
    if len(parts) > 2 and parts[0] == "namespaces":
        parts = parts[2:]
    resource = "/".join([*parts[:1], *parts[2:3]]) or "other"
    reading = "get" if len(parts) > 1 else "list"
    return _VERBS.get(method, reading), resource


def namespace_of(path: str) -> str:
    """The namespace of a path, or an empty text."""
    _, _, within = path.partition("/namespaces/")
    return within.partition("/")[0]


def error_of(status: int, content: bytes, asked_wait: str | None = None) -> ApiError:
    """The error that the API server's Status object, and a Retry-After header, tell of."""
    try:
        message = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        message = content[:_ERROR_BYTES].decode(errors="replace")
    return api_error(status, message, retry_after(asked_wait))


async def _content(answer: aiohttp.ClientResponse, most: int | None) -> bytes:
    if most is None:
        return await answer.read()
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > most:
            raise TooLargeError(f"{answer.url.path}: the answer has more than {most} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines of any length: aiohttp's own readline refuses those longer than its buffer."""
    begun: list[bytes] = []
    async for piece in pieces:
        *whole, rest = piece.split(b"\n")
        if whole:
            yield b"".join([*begun, whole[0]])
            begun.clear()
            for line in whole[1:]:
                yield line
        if rest:
            begun.append(rest)
    if begun:
        yield b"".join(begun)
