"""The object store as a Store.

Every call is tried again, with jitter, for as long as the settings say when the store is down,
busy or cut off; what the store refuses is an error of ours at once, named after what the user can
do about it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BufferedWriter
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from urllib3.exceptions import HTTPError, ProtocolError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid, TranscriberError
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage import listing, refusals
from whisper_transcriber.storage.deletion import Deletion
from whisper_transcriber.storage.downloads import (
    append,
    moment,
    new_file,
    patiently,
    short,
    whole_size,
)
from whisper_transcriber.storage.listing import plain
from whisper_transcriber.storage.s3_client import RefusalError, Response, S3Client
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject, nothing

log = logging.getLogger(__name__)

_UNCONDITIONAL = frozenset({"InvalidArgument", "InvalidRequest", "NotImplemented"})
_Answer = TypeVar("_Answer")


class _UnconditionalError(Exception):
    """The store refuses If-None-Match."""


class S3Store:
    """One S3-compatible server, seen with one pair of keys."""

    def __init__(self, settings: StoreSettings, interruption: Interruption) -> None:
        self._settings = settings
        self._interruption = interruption
        self._client = S3Client(settings)
        self._deletion = Deletion(self._client)
        self._writes_conditionally: bool | None = None

    def stat(self, uri: ObjectUri) -> StoredObject:
        """Etag and size of an object.

        Raises:
            ObjectMissingError: it does not exist; with a hint if there are objects below it.
            BucketNotFound: nor does its bucket.
        """
        try:
            return self._try(uri, lambda: self._described(uri), reading=True)
        except ObjectMissingError as error:
            raise ObjectMissingError(str(uri), hint=self._hint(uri)) from error

    def find(self, uri: ObjectUri) -> bytes | None:
        """A small object's bytes, or None when it does not exist.

        Raises:
            BucketNotFound: nor does its bucket.
        """
        try:
            return self._try(uri, lambda: self._client.exchange("GET", uri.bucket, uri.key)[1])
        except ObjectMissingError:
            return None

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        """Write a small object whole.

        Raises:
            BucketNotFound: there is no such bucket.
        """
        self._try(uri, lambda: self._write(uri, content, content_type))

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        """Write a small object unless there is one already; see Store."""
        if self._writes_conditionally:
            return self._create(uri, content, content_type)
        if self.find(uri) is not None:
            return False
        if self._writes_conditionally is None:
            return self._create_first(uri, content, content_type)
        self.put(uri, content, content_type)
        return True

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        """Every object whose key begins with ``prefix``'s, in the order of keys.

        Raises:
            ConfigurationInvalid: the store's listing repeats itself.
        """

        def fetch(query: Mapping[str, str]) -> bytes:
            return self._patiently(prefix, partial(self._page, prefix.bucket, query))

        found: dict[str, StoredObject] = {}
        try:
            for page in listing.pages(prefix, after, fetch):
                self._interruption.check()
                # Were the prefix ignored, a job would take, or remove, all of the bucket.
                found |= {
                    each.uri.key: each
                    for each in page.objects
                    if each.uri.key.startswith(prefix.key)
                }
        except ObjectMissingError:
            return []
        # Not every server keeps the order that S3 promises, or knows start-after.
        return [found[key] for key in sorted(found) if after is None or key > after]

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; it is no error when it is gone already."""
        try:
            self._try(uri, lambda: self._deletion.remove(uri))
        except ObjectMissingError:
            return

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """Remove objects, a thousand in a request; the last one after all the others."""
        for batch in self._deletion.batches(uris):
            self._interruption.check()
            self._try(batch[0], partial(self._deletion.remove_batch, batch))

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """Stream an object to a file; after a cut, go on from there.

        Raises:
            SourceReplaced: the object's etag is no longer ``source.etag``.
            ObjectMissingError: it has been removed.
            SourceDenied, SourceArchived, SourceNameInvalid: the store does not let it be read.
        """

        def safe_point() -> None:
            self._interruption.check()
            at_each_chunk()

        with new_file(path, source.uri, resume=resume) as file:
            while file.tell() < source.size:
                safe_point()
                receive = partial(self._receive, source, file, safe_point)
                # Retries are counted anew after every bit of progress.
                self._try(source.uri, receive, reading=True)

    def _described(self, uri: ObjectUri) -> StoredObject:
        try:
            head, _ = self._client.exchange("HEAD", uri.bucket, uri.key)
            return _stored(uri, head, whole_size(head) or 0)
        except RefusalError:
            # The answer to a HEAD has no body that could say why.
            part = self._client.open("GET", uri.bucket, uri.key, headers={"Range": "bytes=0-0"})
            part.close()
            part.release_conn()
        return _stored(uri, part, whole_size(part) or 0)

    def _hint(self, uri: ObjectUri) -> str:
        """What to say of a missing object below whose key there are others."""
        below = ObjectUri(uri.bucket, f"{uri.key}/")
        query = {"list-type": "2", "prefix": below.key, "max-keys": "1"}
        try:
            body = self._patiently(below, partial(self._page, uri.bucket, query))
            found = listing.parse(below, query, body).objects
        except (TranscriberError, ObjectMissingError, ElementTree.ParseError):
            return ""
        return f"; {below}, with a slash at its end, means all recordings below it" if found else ""

    def _page(self, bucket: str, query: Mapping[str, str]) -> bytes:
        body = self._client.exchange("GET", bucket, query=query)[1]
        try:
            listing.document_of(body)
        except ElementTree.ParseError as error:
            raise ProtocolError(f"the answer is not a listing: {error}") from error
        return body

    def _write(
        self, uri: ObjectUri, content: bytes, content_type: str, *, new: bool = False
    ) -> None:
        headers = {"Content-Type": content_type}
        if new:
            headers["If-None-Match"] = "*"
        if self._settings.encryption:
            headers["x-amz-server-side-encryption"] = self._settings.encryption
        if self._settings.kms_key:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = self._settings.kms_key
        self._client.exchange("PUT", uri.bucket, uri.key, headers=headers, body=content)

    def _create(self, uri: ObjectUri, content: bytes, content_type: str) -> bool:
        attempts = 0

        def write() -> bool:
            nonlocal attempts
            attempts += 1
            try:
                self._write(uri, content, content_type, new=True)
            except RefusalError as refusal:
                if refusal.status == 412:
                    return False
                if refusal.status == 501 or refusal.code in _UNCONDITIONAL:
                    raise _UnconditionalError from refusal
                raise
            return True

        written = self._try(uri, write)
        # The answer to an attempt of ours that succeeded may have been lost.
        return written or (attempts > 1 and self.find(uri) == content)

    def _create_first(self, uri: ObjectUri, content: bytes, content_type: str) -> bool:
        """Create an object, and find out whether the store obeys If-None-Match."""
        try:
            if not self._create(uri, content, content_type):
                self._writes_conditionally = True
                return False
            # A store that ignores the header writes the same bytes again.
            self._writes_conditionally = not self._create(uri, content, content_type)
        except _UnconditionalError:
            self._writes_conditionally = False
            self.put(uri, content, content_type)
        if not self._writes_conditionally:
            log.info("the object store does not know If-None-Match: reading before writing instead")
        return True

    def _receive(
        self, source: StoredObject, file: BufferedWriter, safe_point: Callable[[], None]
    ) -> None:
        """Fetch what is missing; a cut is no error if anything has come before it."""
        offset = file.tell()
        headers = {"Range": f"bytes={offset}-{source.size - 1}"}
        if source.etag and source.etag.isascii() and source.etag.isprintable():
            headers["If-Match"] = f'"{source.etag}"'
        response = self._client.open("GET", source.uri.bucket, source.uri.key, headers=headers)
        try:
            # Not every server obeys If-Match.
            if plain(response.headers.get("etag")) != source.etag:
                raise refusals.replaced(source.uri)
            append(response, source.size, file, safe_point)
        except HTTPError as error:
            if file.tell() == offset:
                raise
            log.warning("download of %r was cut at %d: %s", str(source.uri), file.tell(), error)
        finally:
            response.close()
            response.release_conn()

    def _try(
        self, uri: ObjectUri, call: Callable[[], _Answer], *, reading: bool = False
    ) -> _Answer:
        if not uri.key:
            raise ConfigurationInvalid(f"{uri} is no name that S3 allows: the key is missing")
        return self._patiently(uri, call, reading=reading)

    def _patiently(
        self, uri: ObjectUri, call: Callable[[], _Answer], *, reading: bool = False
    ) -> _Answer:
        tried = partial(self._is_worth_a_retry, uri, reading)
        try:
            return patiently(call, tried, self._settings.retry_seconds, self._interruption)
        except (RefusalError, HTTPError, OSError) as error:
            raise refusals.meaning(self._settings, uri, error, reading=reading) from error

    def _is_worth_a_retry(self, uri: ObjectUri, reading: bool, error: BaseException) -> bool:
        if refusals.is_passing(error):
            meant = refusals.meaning(self._settings, uri, error, reading=reading)
            log.warning("%s; trying again", short(meant))
            return True
        # A Secret that was renewed meanwhile has reached the files that it is mounted as.
        return (
            isinstance(error, RefusalError)
            and refusals.is_of_keys(error)
            and self._client.has_other_keys_than(error.keys)
        )


def _stored(uri: ObjectUri, response: Response, size: int) -> StoredObject:
    headers = response.headers
    return StoredObject(
        uri, plain(headers.get("ETag")), size, moment(headers.get("Last-Modified", ""))
    )
