import json

import pytest

from tests.unit.kube.played_server import JOBS, status, stream, talking
from transcription_kube.errors import (
    GoneError,
    UnreachableError,
)


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
