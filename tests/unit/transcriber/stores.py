"""An object store in a dictionary, for tests of what is built on one."""

from collections.abc import Callable
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import SourceReplaced
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject, nothing


class MemoryStore:
    """A Store on a server that never fails."""

    def __init__(self) -> None:
        self.objects: dict[ObjectUri, bytes] = {}
        self.written: list[str] = []

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

    def list(self, prefix: ObjectUri) -> list[StoredObject]:
        return [
            self.stat(uri)
            for uri in sorted(self.objects, key=lambda each: each.key)
            if uri.bucket == prefix.bucket and uri.key.startswith(prefix.key)
        ]

    def remove(self, uri: ObjectUri) -> None:
        self.objects.pop(uri, None)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        if source.uri not in self.objects:
            raise ObjectMissingError(str(source.uri))
        if self.stat(source.uri).etag != source.etag:
            raise SourceReplaced(f"{source.uri} was replaced")
        at_each_chunk()
        path.write_bytes(self.objects[source.uri])
