from collections.abc import AsyncIterator
from typing import Any

from transcription_kube.collection import Collection, collection_path


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
