"""An object store in a dictionary, for tests of what is built on one."""

import hashlib
from pathlib import Path

from transcription_contract.locations import S3Uri
from whisper_transcriber.store import ObjectMissingError, ObjectStore, StoredObject


class MemoryStore(ObjectStore):
    """Behaves like ObjectStore on a server that never fails."""

    def __init__(self) -> None:
        self.objects: dict[S3Uri, bytes] = {}
        self.written: list[str] = []

    def stat(self, uri: S3Uri) -> StoredObject:
        if uri not in self.objects:
            raise ObjectMissingError(str(uri))
        content = self.objects[uri]
        return StoredObject(uri, hashlib.md5(content).hexdigest(), len(content))

    def find(self, uri: S3Uri) -> bytes | None:
        return self.objects.get(uri)

    def put(self, uri: S3Uri, content: bytes, content_type: str = "application/json") -> None:
        self.objects[uri] = content
        self.written.append(str(uri))

    def list(self, prefix: S3Uri) -> list[StoredObject]:
        return [
            self.stat(uri)
            for uri in sorted(self.objects, key=lambda each: each.key)
            if uri.bucket == prefix.bucket and uri.key.startswith(prefix.key)
        ]

    def remove(self, uri: S3Uri) -> None:
        self.objects.pop(uri, None)

    def download(self, source: StoredObject, path: Path) -> None:
        if source.uri not in self.objects:
            raise ObjectMissingError(str(source.uri))
        path.write_bytes(self.objects[source.uri])
