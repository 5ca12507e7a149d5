from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, owner
from transcription_kube.errors import ApiError, ConflictError, NotFoundError, UnreachableError
from transcription_operator.policies.events import EventDraft
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.event_recorder import EventRecorder

STUCK = EventDraft("Warning", "QuotaExceeded", "exceeded quota: gpus, used: 4")
EVENTS = "/apis/events.k8s.io/v1/namespaces/media/events"


class Server:
    """An ApiClient whose requests fail as a test has written down."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.requests: list[tuple[str, str, Any]] = []

    async def request(self, method: str, path: str, body: Any, content_type: str = "") -> Any:
        self.requests.append((method, path, body))
        if self.errors and (error := self.errors.pop(0)):
            raise error


def recorder(server: Server) -> EventRecorder:
    times = iter(NOW + timedelta(minutes=i) for i in range(100))
    return EventRecorder(Cluster(server), "operator-1", lambda: next(times))  # type: ignore[arg-type]


async def test_an_event_that_occurs_again_is_counted_in_the_first_ones_series():
    server = Server()
    events = recorder(server)
    for _ in range(3):
        await events.record(owner(), STUCK)
    (post, where, event), *patches = server.requests
    assert (post, where) == ("POST", EVENTS)
    again = f"{EVENTS}/{event['metadata']['name']}"
    second = {"count": 2, "lastObservedTime": "2026-11-22T12:01:00.000000Z"}
    third = {"count": 3, "lastObservedTime": "2026-11-22T12:02:00.000000Z"}
    assert patches == [("PATCH", again, {"series": each}) for each in (second, third)]


async def test_an_event_that_has_expired_is_created_again_with_its_count():
    server = Server(None, NotFoundError(404, "expired"))
    events = recorder(server)
    await events.record(owner(), STUCK)
    await events.record(owner(), STUCK)
    (_, _, first), _, (method, where, event) = server.requests
    assert (method, where) == ("POST", EVENTS)
    assert event["metadata"] == first["metadata"]
    assert event["eventTime"] == first["eventTime"]
    assert event["series"]["count"] == 2


async def test_an_owner_over_its_budget_makes_no_requests():
    server = Server()
    events = recorder(server)
    for i in range(60):
        await events.record(owner(), EventDraft("Warning", f"Reason{i % 7}", "x"))
    assert len(server.requests) == 25 + 59 // 5


@pytest.mark.parametrize(
    "error",
    [ApiError(403, "forbidden"), ConflictError(409, "exists"), UnreachableError("no answer"),
     NotFoundError(404, "no such namespace")],
    ids=["forbidden", "created by a repeated request", "no answer", "the namespace is gone"],
)  # fmt: skip
async def test_an_event_that_cannot_be_written_stops_nothing(error):
    await recorder(Server(error)).record(owner(), STUCK)


@pytest.mark.parametrize("error", [ApiError(422, "immutable"), UnreachableError("no answer")])
async def test_a_count_that_cannot_be_written_stops_nothing(error):
    server = Server(None, error)
    events = recorder(server)
    await events.record(owner(), STUCK)
    await events.record(owner(), STUCK)
    assert len(server.requests) == 2
