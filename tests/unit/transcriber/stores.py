"""An object store in a dictionary, for tests of what is built on one."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import SourceReplaced
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject, nothing


class MemoryStore:
    """A Store on a server that never fails."""

    def __init__(self) -> None:
        self.objects: dict[ObjectUri, bytes] = {}
        self.written: list[str] = []
        self._lock = threading.RLock()

    def stat(self, uri: ObjectUri) -> StoredObject:
        if uri not in self.objects:
            raise ObjectMissingError(str(uri))
        content = self.objects[uri]
        return StoredObject(uri, f"{hash(content):x}", len(content))

    def find(self, uri: ObjectUri) -> bytes | None:
        return self.objects.get(uri)

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        self.objects[uri] = content
        self.written.append(str(uri))

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        with self._lock:
            if uri in self.objects:
                return False
            self.put(uri, content, content_type)
            return True

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        return [
            self.stat(uri)
            for uri in sorted(self.objects, key=lambda each: each.key)
            if uri.bucket == prefix.bucket
            and uri.key.startswith(prefix.key)
            and (after is None or uri.key > after)
        ]

    def remove(self, uri: ObjectUri) -> None:
        self.objects.pop(uri, None)

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        for uri in uris:
            self.remove(uri)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        if source.uri not in self.objects:
            raise ObjectMissingError(str(source.uri))
        if self.stat(source.uri).etag != source.etag:
            raise SourceReplaced(f"{source.uri} was replaced")
        at_each_chunk()
        with path.open("ab" if resume else "wb") as file:
            file.write(self.objects[source.uri][file.tell() :])


PAGE = 1000
"""Objects in one answer to a listing."""

ENTRY_BYTES = 300
"""About what S3 says of each object in a listing, besides its name."""


class CountingStore(MemoryStore):
    """Shares another's objects behind a latency, and counts requests and the bytes read."""

    def __init__(self, objects: dict[ObjectUri, bytes], latency: float = 0.0) -> None:
        super().__init__()
        self.objects = objects
        self.latency = latency
        self.requests: Counter[str] = Counter()
        self.bytes_read: Counter[str] = Counter()
        self.downloads: list[str] = []

    def _count(self, kind: str, requests: int = 1, size: int = 0) -> None:
        with self._lock:
            self.requests[kind] += requests
            self.bytes_read[kind] += size
        # The one place where a test waits: a store that answers late is what it is about.
        threading.Event().wait(self.latency * requests)

    def stat(self, uri: ObjectUri) -> StoredObject:
        self._count("HEAD")
        return self._described(uri)

    def _described(self, uri: ObjectUri) -> StoredObject:
        return super().stat(uri)

    def find(self, uri: ObjectUri) -> bytes | None:
        content = super().find(uri)
        self._count("GET", size=len(content or b""))
        return content

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        self._count("PUT")
        super().put(uri, content, content_type)

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        self._count("PUT")
        # setdefault: one step, whatever other stores with the same objects do.
        created = self.objects.setdefault(uri, content) is content
        if created:
            self.written.append(str(uri))
        return created

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        held = sorted(
            (
                uri
                for uri in list(self.objects)
                if uri.bucket == prefix.bucket
                and uri.key.startswith(prefix.key)
                and (after is None or uri.key > after)
            ),
            key=lambda each: each.key,
        )
        size = sum(ENTRY_BYTES + len(uri.key) for uri in held)
        self._count("LIST", max(1, -(-len(held) // PAGE)), size)
        found = []
        for uri in held:
            with suppress(ObjectMissingError):  # removed meanwhile
                found.append(self._described(uri))
        return found

    def remove(self, uri: ObjectUri) -> None:
        self._count("DELETE")
        super().remove(uri)

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        gone = list(uris)
        self._count("DELETE", -(-len(gone) // PAGE))
        for uri in gone:
            super().remove(uri)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        self._count("DOWNLOAD")
        self.downloads.append(source.uri.key)
        at_each_chunk()
        path.write_bytes(self.objects[source.uri])
