"""Against a real HTTP server on this machine that answers as it is told."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from transcription_kube.access import Access
from transcription_kube.client import ApiClient, described, error_of, namespace_of
from transcription_kube.errors import (
    ApiError,
    ConflictError,
    GoneError,
    KubeError,
    NotFoundError,
    UnreachableError,
)
from transcription_kube.throttle import Retries

JOBS = "/apis/batch/v1/namespaces/media/jobs"
EVENTS = "/api/v1/namespaces/media/events"


class Server:
    """Gives the answers in order, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    async def handle(self, request):
        self.asked.append((request.method, request.path, await request.text(), request.headers))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return await answer(request)


def status(code, message="no", **headers):
    async def answer(_):
        return web.json_response({"message": message}, status=code, headers=headers)

    return answer


def fine(body=None):
    async def answer(_):
        return web.json_response(body or {})

    return answer


async def hang_up(request):
    request.transport.close()
    return web.Response()


def stream(*pieces, end=True):
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if end is None:
            request.transport.close()
        elif not end:
            await asyncio.Event().wait()
        return response

    return answer


@asynccontextmanager
async def talking(*answers, **arguments):
    server, waits = Server(*answers), []

    async def sleep(seconds):
        waits.append(seconds)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    access = Access(f"http://127.0.0.1:{port}", lambda: "Bearer secret")
    client = ApiClient(access, sleep=sleep, **arguments)
    try:
        yield client, server, waits
    finally:
        await client.close()
        await runner.cleanup()


@asynccontextmanager
async def closing_client(access):
    client = ApiClient(access, retries=Retries(tries=1))
    try:
        yield client
    finally:
        await client.close()


async def test_a_request_carries_credentials_query_and_body():
    async with talking(fine({"kind": "Job"})) as (client, server, _):
        assert await client.request("POST", JOBS, [("a", "b c")], {"x": 1}) == {"kind": "Job"}
    ((method, path, body, headers),) = server.asked
    assert (method, path, json.loads(body)) == ("POST", JOBS, {"x": 1})
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
async def test_a_server_in_trouble_holds_no_caller(method, code):
    """The workqueue backs off instead, and its worker is free meanwhile."""
    body = None if method == "GET" else {"metadata": {"name": "a"}}
    async with talking(status(code, "a webhook hangs")) as (client, server, waits):
        with pytest.raises(ApiError, match=f"{code}: a webhook hangs"):
            await client.request(method, JOBS, body=body)
    assert (len(server.asked), waits) == (1, [])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_connection_that_broke_after_the_request_is_the_callers_matter(method):
    async with talking(hang_up) as (client, server, waits):
        with pytest.raises(UnreachableError):
            await client.request(method, JOBS, body={"metadata": {"name": "a"}})
    assert (len(server.asked), waits) == (1, [])


async def test_a_connection_that_was_never_made_is_tried_again_for_some_seconds():
    waits, tries = [], []

    async def sleep(seconds):
        waits.append(seconds)

    client = ApiClient(
        Access("http://127.0.0.1:1"), sleep=sleep, count=lambda *told: tries.append(told)
    )
    with pytest.raises(UnreachableError, match="Cannot connect to host"):
        await client.request("POST", JOBS, body={"metadata": {"generateName": "a"}})
    await client.close()
    assert tries == [("create", "jobs", "error")] * 3
    assert sum(waits) < 3


@pytest.mark.parametrize(
    "content", [b"<html>Sign in</html>", b"", b"\xff", b'"fine"', b"[]"],
    ids=["a page", "nothing", "no text", "a string", "a list"],
)  # fmt: skip
async def test_a_success_that_is_no_json_object_is_an_error_of_the_way_there(content):
    async def answer(_):
        return web.Response(body=content)

    async with talking(answer) as (client, server, _):
        with pytest.raises(UnreachableError, match=f"GET {JOBS}: the answer is not a JSON object"):
            await client.request("GET", JOBS)
    assert len(server.asked) == 1


async def test_a_server_that_is_not_there_is_named():
    async with closing_client(Access("http://127.0.0.1:1")) as client:
        with pytest.raises(UnreachableError, match=f"GET {JOBS}: Cannot connect to host"):
            await client.request("GET", JOBS)


async def test_a_request_goes_by_the_proxy_of_the_environment(monkeypatch):
    async with talking(fine({"a": 1})) as (direct, server, _):
        monkeypatch.setenv("http_proxy", direct._access.server)
        async with closing_client(Access("http://api.example")) as client:
            assert await client.request("GET", JOBS) == {"a": 1}
    assert server.asked[0][3]["Host"] == "api.example"


async def test_the_users_netrc_is_not_asked_for_a_password(tmp_path, monkeypatch):
    """It would be sent in place of our token, and be looked for by a thread for each request."""
    path = tmp_path / "netrc"
    path.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(path))
    async with talking(fine()) as (client, server, _):
        await client.request("GET", JOBS)
    assert server.asked[0][3]["Authorization"] == "Bearer secret"


async def test_retry_after_is_waited():
    async with talking(status(429, **{"Retry-After": "2"}), fine()) as (client, _, waits):
        await client.request("GET", JOBS)
    assert waits[0] >= 2


async def test_what_the_server_asks_to_be_sent_again_is_sent_again():
    again = status(429, **{"Retry-After": "1"})
    async with talking(again, again, fine({"a": 1})) as (client, server, waits):
        sent = await client.request("POST", EVENTS, body={"metadata": {"generateName": "a."}})
    assert sent == {"a": 1}
    assert (len(server.asked), len(waits)) == (3, 2)


async def test_a_long_wait_that_the_server_asks_for_is_the_callers_matter():
    async with talking(status(429, **{"Retry-After": "30"})) as (client, server, waits):
        with pytest.raises(ApiError) as refusal:
            await client.request("GET", JOBS)
    assert (len(server.asked), waits, refusal.value.retry_after) == (1, [], 30)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 422])
async def test_a_refusal_is_final(code):
    async with talking(status(code)) as (client, server, waits):
        with pytest.raises(ApiError) as refusal:
            await client.request("GET", JOBS)
    assert (refusal.value.status, len(server.asked), waits) == (code, 1, [])


async def test_requests_wait_their_turn_retries_too():
    again = status(429, **{"Retry-After": "1"})
    async with talking(again, fine(), qps=1, burst=1) as (client, _, waits):
        await client.request("GET", JOBS)
    assert waits[1] > 0.9


async def test_every_answer_is_counted():
    counted = []
    answers = (hang_up, status(500), fine())
    async with talking(*answers, count=lambda *c: counted.append(c)) as (client, _, _):
        for _ in answers:
            with suppress(KubeError):
                await client.request("PATCH", f"{JOBS}/a", body={})
    assert counted == [
        ("patch", "jobs", "error"),
        ("patch", "jobs", "500"),
        ("patch", "jobs", "200"),
    ]


async def watched(client, read_timeout=5.0):
    return [event async for event in client.open_watch(JOBS, [("watch", "true")], read_timeout)]


async def test_a_watch_ends_with_its_last_event():
    counted = []
    body = stream(b'{"a":1}\n{"a"', b":2}\n", b'{"a":3}\n')
    async with talking(body, count=lambda *c: counted.append(c)) as (client, _, _):
        assert await watched(client) == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert counted == [("watch", "jobs", "200")]


async def test_an_event_of_several_megabytes_arrives_whole():
    large = {"text": "x" * 5_000_000}
    async with talking(stream(json.dumps(large).encode() + b"\n")) as (client, _, _):
        assert await watched(client) == [large]


async def test_a_silent_watch_times_out():
    async with talking(stream(b'{"a":1}\n', end=False)) as (client, _, _):
        with pytest.raises(TimeoutError, match=r"nothing was heard for 0\.2 s"):
            await watched(client, 0.2)


async def test_a_watch_that_breaks_is_no_end():
    async with talking(stream(b'{"a":1}\n{"a', end=None)) as (client, _, _):
        with pytest.raises(UnreachableError, match=r"the watch of .* broke"):
            await watched(client)


async def test_a_version_that_is_too_old_is_told_apart():
    async with talking(status(410, "too old resource version")) as (client, server, _):
        with pytest.raises(GoneError, match="too old"):
            await watched(client)
    assert len(server.asked) == 1


async def test_watches_take_no_turn():
    async with talking(stream(), qps=0.001, burst=1) as (client, _, waits):
        for _ in range(3):
            await watched(client)
    assert waits == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        (
            "GET",
            "/apis/transcription.dev/v1alpha1/transcriptionjobs",
            ("list", "transcriptionjobs"),
        ),
        ("GET", JOBS, ("list", "jobs")),
        ("GET", f"{JOBS}/a", ("get", "jobs")),
        ("POST", EVENTS, ("create", "events")),
        ("PATCH", "/api/v1/namespaces/a/pods/b/status", ("patch", "pods/status")),
        ("GET", "/api/v1/namespaces/a/pods/b:1/proxy/metrics", ("get", "pods/proxy")),
        ("GET", "/api/v1/nodes/a", ("get", "nodes")),
        ("GET", "/api/v1/namespaces/a", ("get", "namespaces")),
        ("DELETE", f"{JOBS}/a", ("delete", "jobs")),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", ("update", "leases")),
        ("GET", "/version", ("list", "other")),
    ],
)
def test_a_path_is_counted_by_its_resource_alone(method, path, expected):
    assert described(method, path) == expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [(404, NotFoundError), (409, ConflictError), (410, GoneError), (403, ApiError)],
)
def test_an_answer_that_is_no_status_object_is_quoted(code, kind):
    error = error_of(code, b"<html>" + b"x" * 1000)
    assert type(error) is kind
    assert str(error).startswith(f"{code}: <html>xxx")
    assert len(str(error)) < 320


@pytest.mark.parametrize(
    ("path", "namespace"),
    [
        (JOBS, "media"),
        ("/api/v1/namespaces/media", "media"),
        ("/apis/batch/v1/jobs", ""),
        ("/api/v1/nodes/node-1", ""),
    ],
    ids=["within", "itself", "all namespaces", "none"],
)
def test_a_request_counts_for_the_namespace_of_its_path(path, namespace):
    assert namespace_of(path) == namespace
