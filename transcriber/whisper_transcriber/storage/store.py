"""What the rest of the program knows of a place where objects lie: a protocol, and what it tells.

s3.py is the one that a cluster uses, files.py the command line's local folders, web.py an https
source; stores.py picks one by a URI's scheme.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from transcription_contract.locations import ObjectUri


def nothing() -> None:
    """Do nothing."""


class ObjectMissingError(Exception):
    """There is no such object; callers know what that means for the job."""


@dataclass(frozen=True)
class StoredObject:
    """What the store tells of an object. ``etag`` has no quotes; ``modified`` is the server's."""

    uri: ObjectUri
    etag: str
    size: int
    modified: datetime | None = None


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

    def list(self, prefix: ObjectUri) -> list[StoredObject]:
        """Every object whose key begins with ``prefix``'s, in the order of keys."""

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; it is no error when it is gone already."""

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """Stream an object to a new file that others may read while it grows.

        Args:
            source: what ``stat`` or ``list`` told.
            path: a new file.
            at_each_chunk: called now and then; what it raises ends the download.

        Raises:
            SourceReplaced: the object is no longer the one that ``source`` describes.
            ObjectMissingError: it has been removed.
        """
