"""Removing objects from an S3 store: DeleteObjects where the store has it, else one by one."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from urllib3.exceptions import ProtocolError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.storage.s3_client import RefusalError, S3Client, text_of

BATCH_KEYS = 1000
"""As many as a DeleteObjects request may name."""

_MISSING = "NoSuchKey"
_WITHOUT = frozenset({"MethodNotAllowed", "NotImplemented", "MalformedXML", "InvalidArgument"})
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class Deletion:
    """Single attempts; raises what S3Client raises."""

    def __init__(self, client: S3Client) -> None:
        self._client = client
        self._has_batches = True

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object."""
        try:
            self._client.exchange("DELETE", uri.bucket, uri.key)
        except RefusalError as refusal:
            if refusal.code != _MISSING:
                raise

    @staticmethod
    def batches(uris: Iterable[ObjectUri]) -> Iterator[tuple[ObjectUri, ...]]:
        """Objects of one bucket each, that go into one request; the very last one alone."""
        every = list(uris)
        for _, same in groupby(every[:-1], attrgetter("bucket")):
            bucket = tuple(same)
            for start in range(0, len(bucket), BATCH_KEYS):
                yield bucket[start : start + BATCH_KEYS]
        yield from ((each,) for each in every[-1:])

    def remove_batch(self, batch: tuple[ObjectUri, ...]) -> None:
        """Remove the objects of one of the ``batches``."""
        named = [each for each in batch if _is_xml(each.key)]
        if len(named) > 1 and self._has_batches and self._removed_at_once(named):
            named_keys = {each.key for each in named}
            batch = tuple(each for each in batch if each.key not in named_keys)
        for uri in batch:
            self.remove(uri)

    def _removed_at_once(self, uris: list[ObjectUri]) -> bool:
        """False: the store does not know the request."""
        try:
            _, answer = self._client.exchange(
                "POST",
                uris[0].bucket,
                query={"delete": ""},
                headers={"Content-Type": "application/xml"},
                body=_request(uris),
            )
        except RefusalError as refusal:
            if refusal.status not in (404, 405, 501) and refusal.code not in _WITHOUT:
                raise
            if refusal.code in ("NoSuchBucket", "XAdminUserNotFound"):
                raise
            self._has_batches = False
            return False
        for error in _errors(answer):
            if (code := text_of(error, "Code")) != _MISSING:
                status = 403 if code == "AccessDenied" else 503
                raise RefusalError(
                    status, code, f"{text_of(error, 'Key')}: {text_of(error, 'Message')}"
                )
        return True


def _request(uris: list[ObjectUri]) -> bytes:
    keys = "".join(f"<Object><Key>{escape(each.key)}</Key></Object>" for each in uris)
    return f'<Delete xmlns="{_NAMESPACE}"><Quiet>true</Quiet>{keys}</Delete>'.encode()


def _errors(answer: bytes) -> list[ElementTree.Element]:
    try:
        if not answer.strip():
            return []
        document = ElementTree.fromstring(answer)
        # S3 may find out that it cannot after it has said 200.
        is_error = document.tag.rpartition("}")[2] == "Error"
        return [document] if is_error else document.findall("{*}Error")
    except ElementTree.ParseError as error:
        raise ProtocolError(f"the answer to a deletion is not XML: {error}") from error


def _is_xml(key: str) -> bool:
    """Whether XML can carry a key as it is."""
    return all(each >= " " and each not in "\ufffe\uffff" for each in key)
