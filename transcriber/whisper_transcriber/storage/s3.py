"""The object store: with pod_identity.py, the only module that knows minio.

Every call is tried again, with jitter, for as long as the settings say when the store is down,
busy or cut off; what the store refuses is an error of ours at once, named after what the user can
do about it.
"""

import logging
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    BucketNotFound,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceReplaced,
    TranscriberError,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.downloads import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    READ_SECONDS,
    is_busy,
    is_untrusted,
    new_file,
    patiently,
    short,
)
from whisper_transcriber.storage.identity import PodIdentity
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject

log = logging.getLogger(__name__)

_CONNECTIONS = 16
"""Kept open: downloads, the delivery's threads and the planner's use the store at once."""

_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchObject", "ResourceNotFound"})
# Clients of S3 try these again, whatever status carries them:
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_BUSY = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"})
# Refusals that do not come as 401 or 403 everywhere; the last one is versitygw's, a 404.
_DENIED = frozenset({"ExpiredToken", "InvalidToken", "XAdminUserNotFound"})
_Answer = TypeVar("_Answer")


class S3Store:
    """One S3-compatible server, seen with one pair of keys."""

    def __init__(self, settings: StoreSettings, interruption: Interruption) -> None:
        self._settings = settings
        self._interruption = interruption
        self._client = _client(settings)

    def stat(self, uri: ObjectUri) -> StoredObject:
        """Etag and size of an object.

        Raises:
            ObjectMissingError: it does not exist.
            BucketNotFound: nor does its bucket.
        """
        try:
            found = self._try(uri, lambda: self._client.stat_object(uri.bucket, uri.key))
        except ObjectMissingError:
            # The answer to a HEAD has no body that could say which of both is missing.
            self._try(uri, lambda: self._touch(uri))
            raise
        return StoredObject(uri, _plain(found.etag), int(found.size or 0), found.last_modified)

    def find(self, uri: ObjectUri) -> bytes | None:
        """A small object's bytes, or None when it does not exist.

        Raises:
            BucketNotFound: nor does its bucket.
        """

        def read() -> bytes:
            response = self._client.get_object(uri.bucket, uri.key)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

        try:
            return self._try(uri, read)
        except ObjectMissingError:
            return None

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        """Write a small object whole.

        Raises:
            BucketNotFound: there is no such bucket.
        """
        self._try(
            uri,
            lambda: self._client.put_object(
                uri.bucket, uri.key, BytesIO(content), len(content), content_type
            ),
        )

    def create(
        self, uri: ObjectUri, content: bytes, content_type: str = "application/json"
    ) -> bool:
        """See Store."""
        if self.find(uri) is not None:
            return False
        self.put(uri, content, content_type)
        return True

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
        """Every object whose key begins with ``prefix``'s, in the order of keys."""

        def listing() -> list[StoredObject]:
            found = self._client.list_objects(
                prefix.bucket, prefix.key, recursive=True, start_after=after
            )
            objects = [
                StoredObject(
                    ObjectUri(prefix.bucket, entry.object_name),
                    _plain(entry.etag),
                    int(entry.size or 0),
                    entry.last_modified,
                )
                for entry in found
                if entry.object_name and not entry.is_dir
            ]
            # Not every server keeps the order that S3 promises.
            return sorted(objects, key=lambda each: each.uri.key)

        try:
            return self._try(prefix, listing)
        except ObjectMissingError:
            return []

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; it is no error when it is gone already."""
        try:
            self._try(uri, lambda: self._client.remove_object(uri.bucket, uri.key))
        except ObjectMissingError:
            return

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """See Store."""
        for uri in uris:
            self.remove(uri)

    def download(self, source: StoredObject, path: Path) -> None:
        """Stream an object to a new file; after a cut, go on from there.

        Raises:
            SourceReplaced: the object's etag is no longer ``source.etag``.
            ObjectMissingError: it has been removed.
        """
        with new_file(path, source.uri) as file:
            while file.tell() < source.size:
                self._interruption.check()
                # Retries are counted anew after every byte of progress.
                self._try(source.uri, lambda: self._receive(source, file.tell(), file.write))

    def _touch(self, uri: ObjectUri) -> None:
        response = self._client.get_object(uri.bucket, uri.key, length=1)
        response.close()
        response.release_conn()

    def _receive(self, source: StoredObject, offset: int, write: Callable[[bytes], int]) -> None:
        """Fetch the rest from ``offset`` on; a cut is no error if anything has come before it."""
        response = self._client.get_object(
            source.uri.bucket,
            source.uri.key,
            offset=offset,
            length=source.size - offset,
            request_headers={"If-Match": f'"{source.etag}"'} if source.etag else None,
        )
        received = 0
        try:
            # Not every server obeys If-Match.
            if _plain(response.headers.get("etag")) != source.etag:
                raise _replaced(source.uri)
            for chunk in response.stream(CHUNK_BYTES):
                self._interruption.check()
                received += write(chunk)
        except urllib3.exceptions.HTTPError as error:
            if not received:
                raise
            log.warning("download of %r was cut at %d: %s", str(source.uri), offset, error)
        finally:
            response.close()
            response.release_conn()

    def _try(self, uri: ObjectUri, call: Callable[[], _Answer]) -> _Answer:
        try:
            return patiently(call, self._is_worth_a_retry, self._settings.retry_seconds)
        except ValueError as error:  # minio's, for a name that no bucket or object can have
            raise ConfigurationInvalid(f"{uri} is no name that S3 allows: {error}") from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._meaning(uri, error) from error

    def _is_worth_a_retry(self, error: Exception) -> bool:
        if self._interruption.requested or not _is_passing(error):
            return False
        log.warning("object store: %s; trying again", short(error))
        return True

    def _meaning(self, uri: ObjectUri, error: Exception) -> Exception:
        """What a failed call means to a job. Errors of this program's own stay what they are."""
        if _is_passing(error):
            return ObjectStoreUnavailable(
                f"the object store at {self._settings.endpoint} could not be reached "
                f"or did not answer properly: {short(error)}"
            )
        if is_untrusted(error):
            return ConfigurationInvalid(
                f"the certificate of the object store at {self._settings.endpoint} is not trusted; "
                f"add caCert to {self._settings.keys_from}: {short(error)}"
            )
        if isinstance(error, S3Error):
            return self._meaning_of_refusal(uri, error)
        return error

    def _meaning_of_refusal(self, uri: ObjectUri, error: S3Error) -> Exception:
        if error.code == "NoSuchBucket":
            return BucketNotFound(
                f"the bucket {uri.bucket!r} of {uri} does not exist in the object store at "
                f"{self._settings.endpoint}"
            )
        if error.code in _MISSING:
            return ObjectMissingError(str(uri))
        if error.response.status == 412:
            return _replaced(uri)
        if error.response.status in (401, 403) or error.code in _DENIED:
            return AccessDenied(
                f"the object store refused access to {uri} ({error.code}): check the keys in "
                f"{self._settings.keys_from} and what they may read and write"
            )
        return ConfigurationInvalid(
            f"the object store refused a request for {uri}: {error.code}: {error.message}"
        )


def _client(settings: StoreSettings) -> Minio:
    endpoint = urlsplit(settings.endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc or "@" in endpoint.netloc:
        # Its value stays unsaid: two keys may have been swapped.
        raise ConfigurationInvalid(
            f"the endpoint in {settings.keys_from} is not a URL such as https://s3.example.com"
        )
    # AWS tells a bucket's region when asked; others rarely have more than the default one.
    ask_for_region = (endpoint.hostname or "").endswith(".amazonaws.com")
    return Minio(
        endpoint.netloc,
        access_key=settings.access_key or None,
        secret_key=settings.secret_key or None,
        session_token=settings.session_token,
        credentials=None if settings.access_key else PodIdentity(settings),
        secure=endpoint.scheme == "https",
        region=settings.region or (None if ask_for_region else "us-east-1"),
        http_client=urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=False,  # this module's own are the only ones
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(settings.certificates) if settings.certificates else None,
        ),
    )


def _is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, S3Error):
        return is_busy(error.response.status) or error.code in _BUSY
    if isinstance(error, ServerError):
        return is_busy(error.status_code)
    if isinstance(error, InvalidResponseError):  # not even XML: a proxy between us, mostly
        return True
    return isinstance(error, urllib3.exceptions.HTTPError) and not is_untrusted(error)


def _replaced(uri: ObjectUri) -> TranscriberError:
    return SourceReplaced(f"{uri} was replaced by another object while the job was running")


def _plain(etag: str | None) -> str:
    # A proxy that may compress makes it a weak one.
    return (etag or "").removeprefix("W/").strip('"')
