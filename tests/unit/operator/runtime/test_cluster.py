from datetime import datetime
from typing import Any

import pytest

from transcription_kube.errors import ApiError, NotFoundError
from transcription_operator.runtime.cluster import Cluster


class Server:
    """An ApiClient that answers what a test has written down, and remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Any]] = []
        self.sent: list[Any] = []
        self.formats: list[str | None] = []

    async def request(
        self,
        method: str,
        path: str,
        query: Any = None,
        body: Any = None,
        content_type: str | None = None,
        most_bytes: int | None = None,
    ) -> Any:
        self.asked.append((method, path, query))
        self.sent.append(body)
        self.formats.append(content_type)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def cluster(server: Server) -> Cluster:
    return Cluster(server)  # type: ignore[arg-type]


async def test_a_long_list_is_read_page_by_page():
    server = Server(
        {"items": [1, 2], "metadata": {"resourceVersion": "9", "continue": "more"}},
        {"items": [3], "metadata": {"resourceVersion": "9"}},
    )
    pages = [page async for page in cluster(server).jobs("media").pages()]
    assert pages == [([1, 2], "9"), ([3], "9")]
    assert server.asked[0][1] == "/apis/batch/v1/namespaces/media/jobs"
    assert ("continue", "more") in server.asked[1][2]
    assert all(("labelSelector", "transcription.dev/job-uid") in q for _, _, q in server.asked)


def node(ready: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": ready}]}}


@pytest.mark.parametrize(
    ("answer", "silent"),
    [
        (node("True"), False),
        (node("False"), True),
        (node("Unknown"), True),
        (NotFoundError(404, "no such node"), True),
        (ApiError(403, "nodes is forbidden"), None),
    ],
    ids=["ready", "not ready", "unknown", "gone", "not ours to see"],
)
async def test_a_node_is_silent_when_it_is_gone_or_not_ready(answer, silent):
    assert await cluster(Server(answer)).is_silent("node-1") is silent


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        ({"status": {"phase": "Active"}}, False),
        ({"status": {"phase": "Terminating"}}, True),
        (NotFoundError(404, "no such namespace"), False),
        (ApiError(403, "namespaces is forbidden"), False),
    ],
    ids=["active", "terminating", "gone", "not ours to see"],
)
async def test_a_namespace_ends_when_it_is_being_deleted(answer, ending):
    assert await cluster(Server(answer)).is_ending("media") is ending


async def test_refusals_of_pods_are_listed_by_a_field_selector():
    server = Server({"items": [], "metadata": {"resourceVersion": "9"}})
    assert [page async for page in cluster(server).pod_refusals("media").pages()] == [([], "9")]
    ((_, path, query),) = server.asked
    assert path == "/api/v1/namespaces/media/events"
    assert ("fieldSelector", "involvedObject.kind=Job,reason=FailedCreate") in query


@pytest.mark.parametrize(
    ("answer", "after"),
    [({"status": {"phase": "Failed"}}, {"status": {"phase": "Failed"}}),
     (NotFoundError(404, "no such pod"), None)],
    ids=["there", "gone"],
)  # fmt: skip
async def test_the_pod_is_returned_as_it_is_after_its_end(answer, after):
    server = Server(answer)
    written = {"phase": "Failed"}
    assert await cluster(server).end_pod("media", "standup-0-x", written, told=True) == after
    assert server.asked[0][:2] == ("PATCH", "/api/v1/namespaces/media/pods/standup-0-x/status")


async def test_a_pod_is_changed_beside_its_phase_or_the_kubelet_would_take_the_phase_back():
    server = Server({})
    await cluster(server).end_pod("media", "standup-0-x", {"phase": "Failed"}, told=True)
    (sent,) = server.sent
    assert sent["status"] == {"phase": "Failed"}
    assert datetime.fromisoformat(sent["metadata"]["annotations"]["transcription.dev/ended"])


async def test_a_pod_on_a_lost_node_gets_a_phase_and_nothing_else():
    server = Server({})
    await cluster(server).end_pod("media", "standup-0-x", {"phase": "Failed"}, told=False)
    assert server.sent == [{"status": {"phase": "Failed"}}]


async def test_a_mark_on_a_pod_keeps_its_other_conditions():
    server = Server({})
    await cluster(server).mark_deleted("media", "standup-0-x")
    assert server.asked[0][:2] == ("PATCH", "/api/v1/namespaces/media/pods/standup-0-x/status")
    assert [each["type"] for each in server.sent[0]["status"]["conditions"]] == ["DisruptionTarget"]
    assert server.formats == ["application/strategic-merge-patch+json"]
