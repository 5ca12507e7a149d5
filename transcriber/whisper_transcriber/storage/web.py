"""Recordings and weights on https servers: they can be read, and nothing else."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import partial
from io import BufferedWriter
from pathlib import Path
from typing import NoReturn, TypeVar

from urllib3.exceptions import HTTPError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import (
    LEAST_BYTES,
    append,
    is_busy,
    is_untrusted,
    moment,
    new_file,
    patiently,
    short,
    whole_size,
)
from whisper_transcriber.storage.https import HttpsClient, Response, StatusError
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject, nothing

log = logging.getLogger(__name__)

_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})
_Answer = TypeVar("_Answer")


class WebSource:
    """A Store of https URLs that can only be read.

    ``allowed_networks``: CIDRs of networks that may be entered besides the public internet.
    ``certificates``: a PEM file of authorities to trust besides the system's.
    """

    def __init__(
        self,
        interruption: Interruption,
        *,
        retry_seconds: float,
        allowed_networks: Iterable[str] = (),
        certificates: Path | None = None,
    ) -> None:
        self._interruption = interruption
        self._retry_seconds = retry_seconds
        self._client = HttpsClient(allowed_networks, certificates)

    def stat(self, uri: ObjectUri) -> StoredObject:
        """What the server tells of a file; without an ETag, one is made of its size and date.

        Raises:
            ObjectMissingError: there is none.
            ConfigurationInvalid: its server may not be asked, or does not tell its size.
        """

        def ask() -> StoredObject:
            # Not HEAD: links that are signed for GET refuse it, and so do some servers.
            with self._client.get(str(uri), {"Range": "bytes=0-0"}) as response:
                return _described(uri, response)

        return self._try(uri, ask)

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        """Stream a file; after a cut, go on from there where the server can.

        Raises:
            SourceReplaced: it is no longer the one that ``source`` describes.
            ObjectMissingError: it has been removed.
        """

        def safe_point() -> None:
            self._interruption.check()
            at_each_chunk()

        with new_file(path, source.uri.shown, resume=resume) as file:
            while file.tell() < source.size:
                safe_point()
                # Retries are counted anew after every bit of progress.
                self._try(source.uri, lambda: self._receive(source, file, safe_point))

    def find(self, uri: ObjectUri) -> bytes | None:
        """Refused with ConfigurationInvalid."""
        _refuse(uri)

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:  # noqa: ARG002
        """Refused with ConfigurationInvalid."""
        _refuse(uri)

    def create(self, uri: ObjectUri, content: bytes, content_type: str = "") -> bool:  # noqa: ARG002
        """Refused with ConfigurationInvalid."""
        _refuse(uri)

    def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:  # noqa: ARG002
        """Refused with ConfigurationInvalid."""
        _refuse(prefix)

    def remove(self, uri: ObjectUri) -> None:
        """Refused with ConfigurationInvalid."""
        _refuse(uri)

    def remove_many(self, uris: Iterable[ObjectUri]) -> None:
        """Refused with ConfigurationInvalid."""
        for uri in uris:
            _refuse(uri)

    def _receive(
        self, source: StoredObject, file: BufferedWriter, safe_point: Callable[[], None]
    ) -> None:
        """Fetch what is missing; a cut is no error if enough has come before it."""
        offset = file.tell()
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        with self._client.get(str(source.uri), wanted) as response:
            now = _described(source.uri, response)
            if (now.etag, now.size) != (source.etag, source.size):
                raise SourceReplaced(
                    f"{source.shown} was replaced by another file while the job was running"
                )
            try:
                append(response, source.size, file, safe_point)
            except HTTPError as error:
                if file.tell() - offset < LEAST_BYTES:
                    raise
                log.warning("download of %r was cut: %s", source.shown, short(error))

    def _try(self, uri: ObjectUri, call: Callable[[], _Answer]) -> _Answer:
        try:
            passing = partial(self._is_worth_a_retry, uri)
            return patiently(call, passing, self._retry_seconds, self._interruption)
        except (HTTPError, StatusError) as error:
            raise _meaning(uri.shown, error) from error

    def _is_worth_a_retry(self, uri: ObjectUri, error: BaseException) -> bool:
        if not _is_passing(error):
            return False
        log.warning("%r: %s; trying again", uri.shown, short(error))
        return True


def _described(uri: ObjectUri, response: Response) -> StoredObject:
    encoding = response.headers.get("Content-Encoding", "")
    if encoding.lower() in _COMPRESSED:
        raise ConfigurationInvalid(
            f"{uri.shown} is sent compressed ({encoding}), even when asked not to be"
        )
    size, date = _size(uri, response), response.headers.get("Last-Modified", "")
    tag = response.headers.get("ETag", "").removeprefix("W/").strip('"')
    made = hashlib.sha256(f"{date} {size}".encode()).hexdigest()[:32]
    return StoredObject(uri, tag or made, size, moment(date))


def _size(uri: ObjectUri, response: Response) -> int:
    """The whole file's, whatever part of it comes."""
    size = whole_size(response)
    if size is not None:
        return size
    raise ConfigurationInvalid(
        f"the server of {uri.shown} does not tell the file's size, without which it is not "
        "fetched: copy it to your object store"
    )


def _is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, StatusError):
        return is_busy(error.status)
    return isinstance(error, HTTPError) and not is_untrusted(error)


def _meaning(address: str, error: Exception) -> Exception:
    """What a failed request means to a job."""
    if _is_passing(error):
        return ObjectStoreUnavailable(f"{address} could not be fetched: {short(error)}")
    if not isinstance(error, StatusError):
        return ConfigurationInvalid(
            f"the certificate of the server of {address} is not trusted: {short(error)}"
        )
    if error.status in (404, 410):
        return ObjectMissingError(address)
    if error.status in (401, 403):
        return AccessDenied(
            f"the server refused access to {address} ({error.status}): if it is a signed link, it "
            "may have expired"
        )
    return ConfigurationInvalid(
        f"the server refused a request for {address} with status {error.status}"
    )


def _refuse(uri: ObjectUri) -> NoReturn:
    raise ConfigurationInvalid(
        f"{uri.shown} can only be read: an https URL is a single recording, never a folder "
        "or an output"
    )
