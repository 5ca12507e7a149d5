"""The shared files of a job in the object store: no locks, since everything in it is idempotent.

A missing document is made by the worker that needs it. What is stored wins: of two workers that
make the same document at once, both continue with the one that was stored first.
"""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError

from transcription_contract.base import Model
from transcription_contract.locations import ObjectUri, workspace_uri
from whisper_transcriber.coordination.names import ITEMS
from whisper_transcriber.storage.store import ObjectMissingError, Store

log = logging.getLogger(__name__)

Document = TypeVar("Document", bound=Model)


class Workspace:
    """One job's prefix in the store."""

    def __init__(self, store: Store, output_uri: str, uid: str) -> None:
        self._store = store
        self._prefix = workspace_uri(output_uri, uid)

    def find(self, name: str, kind: type[Document]) -> Document | None:
        """The document called ``name``, or None if it is missing or of another version."""
        content = self._store.find(self._at(name))
        if content is None:
            return None
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            log.warning("%s was written by another version and is replaced: %s", name, error)
            return None

    def agree(self, name: str, kind: type[Document], make: Callable[[], Document]) -> Document:
        """The stored document, made first if it is missing."""
        return self.find(name, kind) or self.settle(name, make())

    def settle(self, name: str, made: Document) -> Document:
        """Store a document unless there is one; returns the one that is stored."""
        if self.create(name, made):
            return made
        if found := self.find(name, type(made)):
            return found
        # Of another version; or another worker has removed the workspace: then it is not needed.
        self.put(name, made)
        return made

    def create(self, name: str, document: Model) -> bool:
        """Store a document unless there is one; returns whether it was stored."""
        return self._store.create(self._at(name), _content(document))

    def put(self, name: str, document: Model) -> None:
        """Store a document under ``name``, whether there is one or not."""
        self._store.put(self._at(name), _content(document))

    def claim(self, name: str, worker: int) -> bool:
        """Store a worker's claim unless there is one; returns whether it was stored."""
        return self._store.create(self._at(name), str(worker).encode(), "text/plain")

    def claimed_by(self, name: str) -> int | None:
        """The worker whose claim is stored under ``name``, if it is readable."""
        content = self._store.find(self._at(name)) or b""
        return int(content) if content.isdigit() else None

    def etag(self, name: str) -> str | None:
        """The etag of what is stored under ``name``, or None."""
        try:
            return self._store.stat(self._at(name)).etag
        except ObjectMissingError:
            return None

    def names(self, below: str = "", after: str | None = None) -> list[str]:
        """The names of what is stored, in order.

        Args:
            below: only those that begin with it.
            after: only those that are greater.
        """
        skip = len(self._prefix.key)
        start = None if after is None else self._prefix.key + after
        return [each.uri.key[skip:] for each in self._store.list(self._at(below), after=start)]

    def remove(self, names: Iterable[str]) -> None:
        """Remove some of what is stored."""
        self._store.remove_many([self._at(name) for name in names])

    def remove_all(self) -> None:
        """Remove everything, the plan last: what is left of a cut removal can be found by it."""
        self.remove(sorted(self.names(), key=lambda name: name == ITEMS))

    def _at(self, name: str) -> ObjectUri:
        return self._prefix.child(name)


def _content(document: Model) -> bytes:
    return document.model_dump_json(by_alias=True).encode()
