"""Against a real HTTP server on this machine that answers as it is told."""

import json
from contextlib import suppress

import pytest
from aiohttp import web

from tests.unit.kube.played_server import (
    EVENTS,
    JOBS,
    closing_client,
    fine,
    hang_up,
    status,
    talking,
)
from transcription_kube.access import Access
from transcription_kube.client import ApiClient, described, error_of, namespace_of
from transcription_kube.errors import (
    ApiError,
    ConflictError,
    GoneError,
    KubeError,
    NotFoundError,
    TooLargeError,
    UnreachableError,
)


async def test_a_request_carries_credentials_query_and_body():
    async with talking(fine({"kind": "Job"})) as (client, server, _):
        assert await client.request("POST", JOBS, [("a", "b c")], {"x": 1}) == {"kind": "Job"}
    ((method, path, body, headers),) = server.asked
    assert (method, path, json.loads(body)) == ("POST", JOBS, {"x": 1})
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/json"


async def test_no_more_of_an_answer_is_read_than_the_caller_takes():
    async with talking(fine({"items": ["x" * 100_000]})) as (client, server, _):
        with pytest.raises(TooLargeError):
            await client.request("GET", JOBS, most_bytes=50_000)
        assert await client.request("GET", JOBS, most_bytes=200_000)
    assert len(server.asked) == 2


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
