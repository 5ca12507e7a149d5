"""Every place where a job's objects may lie, as one Store."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.store import Store, StoredObject, nothing


class StoreRouter:
    """A Store that asks the one of each URI's scheme: ``{"s3": …, "https": …}``.

    Every method raises ConfigurationInvalid when there is none.
    """

    def __init__(self, by_scheme: Mapping[str, Store]) -> None:
        self._by_scheme = dict(by_scheme)

    def stat(self, uri: ObjectUri) -> StoredObject:
        """See Store."""
        return self._of(uri).stat(uri)

    def find(self, uri: ObjectUri) -> bytes | None:
        """See Store."""
        return self._of(uri).find(uri)

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        """See Store."""
        self._of(uri).put(uri, content, content_type)

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        """See Store."""
        return self._of(uri).create(uri, content, content_type)

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        """See Store."""
        return self._of(prefix).list(prefix, after)

    def remove(self, uri: ObjectUri) -> None:
        """See Store."""
        self._of(uri).remove(uri)

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """See Store."""
        for _, group in groupby(uris, attrgetter("scheme")):
            same = list(group)
            self._of(same[0]).remove_many(same)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """See Store."""
        self._of(source.uri).download(source, path, resume=resume, at_each_chunk=at_each_chunk)

    def _of(self, uri: ObjectUri) -> Store:
        if uri.scheme not in self._by_scheme:
            known = ", ".join(f"{scheme}://" for scheme in sorted(self._by_scheme))
            raise ConfigurationInvalid(
                f"{uri.scheme}:// URIs cannot be used here, only {known}: check {uri.shown}"
            )
        return self._by_scheme[uri.scheme]
