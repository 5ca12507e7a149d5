"""The objects of one kind, in one namespace or all: listed a page at a time, and watched."""

import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from transcription_kube.client import ApiClient
from transcription_kube.errors import TooLargeError

Json = dict[str, Any]

PAGE = 500
_PAGE_BYTES = 2**24
"""Who may create an object may give it a megabyte: 500 of those would be half a gigabyte."""

_WATCH_SECONDS = 300.0
"""At least, and at most twice that, as client-go has it: watches that end together would begin
together, for ever."""

_SILENCE_SECONDS = 100.0
"""The API server sends each watch a bookmark about every minute."""


class Collection:
    """Objects of one kind in one namespace or all, for an informer.

    ``selector``: of labels. ``fields``: a field selector.
    """

    def __init__(
        self,
        client: ApiClient,
        api: str,
        namespace: str | None,
        name: str,
        selector: str | None = None,
        fields: str | None = None,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self._client = client
        self._path = collection_path(api, namespace, name)
        selectors = (("labelSelector", selector), ("fieldSelector", fields))
        self._query = [(kind, value) for kind, value in selectors if value]

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        """All objects, a page at a time, and the resourceVersion to watch from.

        A page of more than some megabytes is asked for again in parts.
        """
        limit, query = PAGE, list(self._query)
        while True:
            try:
                answer = await self._client.request(
                    "GET",
                    self._path,
                    query=[*query, ("limit", str(limit))],
                    most_bytes=_PAGE_BYTES if limit > 1 else None,
                )
            except TooLargeError:
                limit = max(1, limit // 4)
                continue
            metadata = answer["metadata"]
            # Popped: a page is several megabytes, which the next one need not find still there.
            yield answer.pop("items"), metadata["resourceVersion"]
            if not metadata.get("continue"):
                return
            limit = min(PAGE, 2 * limit)
            query = [*self._query, ("continue", metadata["continue"])]

    def watch(self, version: str) -> AsyncIterator[Json]:
        """Watch events from a resourceVersion on, bookmarks included."""
        query = [
            *self._query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(round(_WATCH_SECONDS * random.uniform(1, 2)))),
        ]
        return self._client.open_watch(self._path, query, _SILENCE_SECONDS)


def collection_path(api: str, namespace: str | None, plural: str) -> str:
    """The path of a collection, such as /apis/batch/v1/namespaces/media/jobs."""
    within = f"/namespaces/{quote(namespace)}" if namespace is not None else ""
    return f"{api}{within}/{plural}"
