"""Every place where a job's objects may lie, as one Store."""

from collections.abc import Callable, Mapping
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.https import shown
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

    def list(self, prefix: ObjectUri) -> list[StoredObject]:
        """See Store."""
        return self._of(prefix).list(prefix)

    def remove(self, uri: ObjectUri) -> None:
        """See Store."""
        self._of(uri).remove(uri)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """See Store."""
        self._of(source.uri).download(source, path, at_each_chunk=at_each_chunk)

    def _of(self, uri: ObjectUri) -> Store:
        if uri.scheme not in self._by_scheme:
            known = ", ".join(f"{scheme}://" for scheme in sorted(self._by_scheme))
            raise ConfigurationInvalid(
                f"{uri.scheme}:// URIs cannot be used here, only {known}: check {shown(str(uri))}"
            )
        return self._by_scheme[uri.scheme]
