from collections.abc import AsyncIterator
from typing import Any

import pytest

from transcription_kube.collection import Collection, collection_path
from transcription_kube.errors import TooLargeError


class Client:
    """Keeps the queries of watches."""

    def __init__(self) -> None:
        self.queries: list[dict[str, str]] = []

    async def open_watch(self, _: str, query: Any, __: float) -> AsyncIterator[dict[str, Any]]:
        self.queries.append(dict(query))
        yield {}


async def test_watches_that_begin_together_do_not_end_together() -> None:
    client: Any = Client()
    pods = Collection(client, "/api/v1", None, "pods")
    for _ in range(50):
        async for _ in pods.watch("7"):
            pass
    assert {query["resourceVersion"] for query in client.queries} == {"7"}
    seconds = {int(query["timeoutSeconds"]) for query in client.queries}
    assert min(seconds) >= 300
    assert max(seconds) <= 600
    assert len(seconds) > 10


def test_a_collection_is_in_one_namespace_or_all() -> None:
    assert collection_path("/apis/batch/v1", None, "jobs") == "/apis/batch/v1/jobs"
    assert collection_path("/api/v1", "a b", "pods") == "/api/v1/namespaces/a%20b/pods"


class Server:
    """Has objects of these sizes in bytes."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes
        self.limits: list[int] = []

    async def request(
        self, _: str, path: str, query: Any, most_bytes: int | None
    ) -> dict[str, Any]:
        asked = dict(query)
        limit, first = int(asked["limit"]), int(asked.get("continue", 0))
        page = self.sizes[first : first + limit]
        self.limits.append(limit)
        if most_bytes is not None and sum(page) > most_bytes:
            raise TooLargeError(path)
        following = first + limit
        more = str(following) if following < len(self.sizes) else None
        return {
            "metadata": {"resourceVersion": "7", "continue": more},
            "items": [{"size": size} for size in page],
        }


@pytest.mark.parametrize(
    ("sizes", "most_requests"),
    [
        pytest.param([5_000] * 1200, 3, id="usual ones"),
        pytest.param([5_000] * 600 + [1_500_000] * 200, 80, id="a tenant's of a megabyte"),
        pytest.param([40_000_000], 6, id="one of any size"),
    ],
)
async def test_a_page_of_large_objects_is_listed_in_parts(
    sizes: list[int], most_requests: int
) -> None:
    server: Any = Server(*sizes)
    pods = Collection(server, "/api/v1", None, "pods")
    listed = [each["size"] async for page, _ in pods.pages() for each in page]
    assert listed == sizes
    assert len(server.limits) <= most_requests
