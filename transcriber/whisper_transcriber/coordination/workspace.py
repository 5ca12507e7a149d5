"""The shared files of a job in the object store: no locks, since everything in it is idempotent.

What is missing is made by whoever needs it, and what is stored wins: a worker reads back what it
wrote, so that two which made the same thing at once go on with the same one.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from transcription_contract.base import Model
from transcription_contract.locations import ObjectUri, workspace_uri
from whisper_transcriber.storage.store import Store

log = logging.getLogger(__name__)

Document = TypeVar("Document", bound=Model)


class Workspace:
    """One job's prefix in the store."""

    def __init__(self, store: Store, output_uri: str, uid: str) -> None:
        self._store = store
        self._prefix = workspace_uri(output_uri, uid)

    def find(self, name: str, kind: type[Document]) -> Document | None:
        """The document called ``name``, or None when there is none that this version can read."""
        content = self._store.find(self._at(name))
        if content is None:
            return None
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            log.warning("%s is none of this version's, and made anew: %s", name, error)
            return None

    def agree(self, name: str, kind: type[Document], make: Callable[[], Document]) -> Document:
        """The stored document, made first if need be."""
        found = self.find(name, kind)
        if found is not None:
            return found
        made = make()
        self.put(name, made)
        # None: another worker finished the job and removed the workspace meanwhile.
        return self.find(name, kind) or made

    def put(self, name: str, document: Model) -> None:
        """Store a document under ``name``."""
        self._store.put(self._at(name), _content(document))

    def holds(self, name: str, document: Model) -> bool:
        """Whether what is stored under ``name`` is this very document."""
        return self._store.find(self._at(name)) == _content(document)

    def mark(self, name: str) -> None:
        """Store an empty document under ``name``: that it is there is all that it says."""
        self._store.put(self._at(name), b"", "text/plain")

    def names(self) -> frozenset[str]:
        """The names of all that is stored."""
        skip = len(self._prefix.key)
        return frozenset(stored.uri.key[skip:] for stored in self._store.list(self._prefix))

    def remove(self) -> None:
        """Remove everything, the plan last: what is left of a cut removal can be found by it."""
        stored = [each.uri for each in self._store.list(self._prefix)]
        for uri in sorted(stored, key=lambda each: each.key.endswith("/items.json")):
            self._store.remove(uri)

    def _at(self, name: str) -> ObjectUri:
        return self._prefix.child(name)


def _content(document: Model) -> bytes:
    return document.model_dump_json(by_alias=True).encode()
