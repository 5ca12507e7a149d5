"""Recordings and weights on https servers: they can be read, and nothing else."""

import hashlib
import logging
import re
import socket
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from io import BufferedWriter
from pathlib import Path
from typing import NoReturn, TypeVar

from urllib3.exceptions import HTTPError, ProtocolError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import (
    AccessDenied,
    ConfigurationInvalid,
    ObjectStoreUnavailable,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.downloads import (
    CHUNK_BYTES,
    READ_SECONDS,
    is_busy,
    is_untrusted,
    new_file,
    patiently,
    short,
)
from whisper_transcriber.storage.https import HttpsClient, Response, StatusError
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject

log = logging.getLogger(__name__)

LEAST_BYTES = 1 << 16
"""What an attempt has to bring to be called progress, and a connection in every READ_SECONDS: a
server that lets single bytes drip would otherwise hold a worker for ever."""

_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<size>\d+)")
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
        self._client = HttpsClient(interruption, allowed_networks, certificates)

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

    def download(self, source: StoredObject, path: Path) -> None:
        """Stream a file to a new one; after a cut, go on from there where the server can.

        Raises:
            SourceReplaced: it is no longer the one that ``source`` describes.
            ObjectMissingError: it has been removed.
        """
        with new_file(path, source.uri.shown) as file:
            while file.tell() < source.size:
                self._interruption.check()
                # Retries are counted anew after every bit of progress.
                self._try(source.uri, lambda: self._receive(source, file))

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

    def _receive(self, source: StoredObject, file: BufferedWriter) -> None:
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
                self._write(response, source.size, file)
            except HTTPError as error:
                if file.tell() - offset < LEAST_BYTES:
                    raise
                log.warning("download of %r was cut: %s", source.shown, short(error))

    def _write(self, response: Response, size: int, file: BufferedWriter) -> None:
        # Without ranges it begins anew. Others read the file while it grows, so what is there
        # already is passed over, not written again.
        skip = file.tell() - _start(response)
        if skip < 0:
            raise ProtocolError("the server left out a part")
        pace = Pace()
        while file.tell() < size:
            self._interruption.check()
            chunk = response.read1(CHUNK_BYTES, decode_content=False)
            if not chunk:
                raise ProtocolError(f"it ended after {file.tell()} of {size} bytes")
            pace.count(len(chunk))
            file.write(chunk[skip : skip + size - file.tell()])
            skip = max(0, skip - len(chunk))

    def _try(self, uri: ObjectUri, call: Callable[[], _Answer]) -> _Answer:
        try:
            passing = partial(self._is_worth_a_retry, uri)
            return patiently(call, passing, self._retry_seconds)
        except (HTTPError, socket.gaierror, StatusError) as error:
            raise _meaning(uri.shown, error) from error

    def _is_worth_a_retry(self, uri: ObjectUri, error: Exception) -> bool:
        if self._interruption.requested or not _is_passing(error):
            return False
        log.warning("%r: %s; trying again", uri.shown, short(error))
        return True


class Pace:
    """Gives a connection up that brings less than LEAST_BYTES in READ_SECONDS."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since, self._received = clock(), 0

    def count(self, size: int) -> None:
        """So many bytes have come.

        Raises:
            ProtocolError: they are too few.
        """
        self._received += size
        if self._clock() - self._since < READ_SECONDS:
            return
        if self._received < LEAST_BYTES:
            raise ProtocolError(f"only {self._received} bytes came in {READ_SECONDS:.0f} seconds")
        self._since, self._received = self._clock(), 0


def _described(uri: ObjectUri, response: Response) -> StoredObject:
    encoding = response.headers.get("Content-Encoding", "")
    if encoding.lower() in _COMPRESSED:
        raise ConfigurationInvalid(
            f"{uri.shown} is sent compressed ({encoding}), even when asked not to be"
        )
    size, date = _size(uri, response), response.headers.get("Last-Modified", "")
    tag = response.headers.get("ETag", "").removeprefix("W/").strip('"')
    made = hashlib.sha256(f"{date} {size}".encode()).hexdigest()[:32]
    return StoredObject(uri, tag or made, size, _moment(date))


def _size(uri: ObjectUri, response: Response) -> int:
    """The whole file's, whatever part of it comes."""
    whole = response.status == 200
    told = response.headers.get("Content-Length" if whole else "Content-Range", "")
    if whole and told.isdecimal():
        return int(told)
    if not whole and (found := _RANGE.fullmatch(told.strip())):
        return int(found["size"])
    raise ConfigurationInvalid(
        f"the server of {uri.shown} does not tell the file's size, without which it is not "
        "fetched: copy it to your object store"
    )


def _start(response: Response) -> int:
    if response.status == 200:
        return 0
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not found or not found["start"]:
        raise ProtocolError("the server did not send the part that was asked for")
    return int(found["start"])


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        return None


def _is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, StatusError):
        return is_busy(error.status)
    if isinstance(error, HTTPError):
        return not is_untrusted(error)
    return isinstance(error, socket.gaierror)  # the name's servers did not answer


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
