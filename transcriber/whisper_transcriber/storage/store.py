"""What the rest of the program knows of a place where objects lie: a protocol, and what it tells.

s3.py is the one that a cluster uses, files.py the command line's local folders, web.py an https
source; router.py picks one by a URI's scheme.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from transcription_contract.locations import ObjectUri


def nothing() -> None:
    """Do nothing."""


class ObjectMissingError(Exception):
    """There is no such object; callers know what that means for the job.

    ``hint``: the end of a sentence that says so, such as "; with a slash it means …", or empty.
    """

    def __init__(self, uri: str, *, hint: str = "") -> None:
        super().__init__(uri)
        self.hint = hint


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
        """Remove objects, many in a request where the store can; the last one after the others."""

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """Stream an object to a file that others may read while it grows.

        Args:
            source: what ``stat`` or ``list`` told.
            path: a new file, or with ``resume`` also one that has the object's first bytes already.
            resume: whether to append to what is there.
            at_each_chunk: called at least once a minute while bytes come.

        Raises:
            SourceReplaced: the object is no longer the one that ``source`` describes.
            ObjectMissingError: it has been removed.
            SourceDenied, SourceArchived, SourceNameInvalid: this object cannot be read.
        """
