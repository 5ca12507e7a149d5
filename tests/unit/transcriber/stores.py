"""An object store in a dictionary, for tests of what is built on one."""

import threading
from collections.abc import Iterable
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import SourceReplaced
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject


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

    def download(self, source: StoredObject, path: Path) -> None:
        if source.uri not in self.objects:
            raise ObjectMissingError(str(source.uri))
        if self.stat(source.uri).etag != source.etag:
            raise SourceReplaced(f"{source.uri} was replaced")
        path.write_bytes(self.objects[source.uri])
