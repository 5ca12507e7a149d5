"""What the rest of the program knows of a place where objects lie: a protocol, and what it tells.

s3.py is the one that a cluster uses, files.py the command line's local folders, web.py an https
source; stores.py picks one by a URI's scheme.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from transcription_contract.locations import ObjectUri


class ObjectMissingError(Exception):
    """There is no such object; callers know what that means for the job."""


@dataclass(frozen=True)
class StoredObject:
    """What the store tells of an object. ``etag`` has no quotes; ``modified`` is the server's."""

    uri: ObjectUri
    etag: str
    size: int
    modified: datetime | None = None

    @property
    def shown(self) -> str:
        """Its URI for logs and messages; see ObjectUri.shown."""
        return self.uri.shown


class Store(Protocol):
    """Objects by URI."""

    def stat(self, uri: ObjectUri) -> StoredObject:
        """Etag and size of an object.

        Raises:
            ObjectMissingError: it does not exist.
        """

    def find(self, uri: ObjectUri) -> bytes | None:
        """A small object's bytes, or None when it does not exist."""

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        """Write a small object, whole or not at all."""

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        """Write a small object unless there is one already; returns whether it was written.

        Exact where the store supports ``If-None-Match: *`` or is a file system; elsewhere the
        store is read before the write, and of two writers at the same moment the last one wins.
        """

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        """Every object whose key begins with ``prefix``'s, in the order of keys.

        ``after``: a whole key. Only greater keys are returned, so that a listing can be continued.
        """

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; it is no error when it is gone already."""

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """Remove objects in the given order, many in a request where the store can."""

    def download(self, source: StoredObject, path: Path) -> None:
        """Stream an object to a new file that others may read while it grows.

        Raises:
            SourceReplaced: the object is no longer the one that ``source`` describes.
            ObjectMissingError: it has been removed.
        """
