"""Listings of an S3 bucket, page by page, as stores answer them and not only as S3 promises."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.storage.s3_client import text_of
from whisper_transcriber.storage.store import StoredObject

PAGE_KEYS = 1000

Fetch = Callable[[Mapping[str, str]], bytes]
"""The body of a listing's page by the parameters of its query."""


@dataclass(frozen=True)
class Page:
    """A part of a listing. ``following``: the parameters that ask for the next one."""

    objects: tuple[StoredObject, ...]
    following: Mapping[str, str] | None


def pages(prefix: ObjectUri, after: str | None, fetch: Fetch) -> Iterator[Page]:
    """The pages of a listing.

    Raises:
        ConfigurationInvalid: the store ignores where a page is to begin, so that the listing would
            never end.
        ElementTree.ParseError: a page is no XML.
    """
    common = {"prefix": prefix.key, "max-keys": str(PAGE_KEYS), "encoding-type": "url"}
    first = {"list-type": "2", **common}
    query: Mapping[str, str] | None = first if after is None else {**first, "start-after": after}
    asked: set[str] = set()
    seen: set[str] = set()
    while query is not None:
        page = parse(prefix, common, fetch(query))
        yield page
        query = page.following
        position = str(query)
        keys = {each.uri.key for each in page.objects}
        # Some stores make up a new token for each answer.
        repeats = position in asked or (bool(keys) and keys <= seen)
        seen |= keys
        if query is not None and repeats:
            raise ConfigurationInvalid(
                f"the store's listing of {prefix} repeats itself: the object store does not "
                "continue listings as S3 does (list-type=2, marker)"
            )
        asked.add(position)


def parse(prefix: ObjectUri, common: Mapping[str, str], body: bytes) -> Page:
    """A page by its XML.

    Raises:
        ElementTree.ParseError: it is none.
    """
    document = document_of(body)
    # Google has called it "Encoding-Type"; a store that says neither has not encoded the keys.
    encoded = "url" in (text_of(document, "EncodingType"), text_of(document, "Encoding-Type"))
    decode = unquote_plus if encoded else str
    objects = tuple(
        StoredObject(
            ObjectUri(prefix.bucket, key),
            plain(text_of(entry, "ETag")),
            _size(text_of(entry, "Size")),
            _moment(text_of(entry, "LastModified")),
        )
        for entry in document.iterfind("{*}Contents")
        if (key := decode(entry.findtext("{*}Key") or ""))
    )
    if text_of(document, "IsTruncated") != "true":
        return Page(objects, None)
    if token := text_of(document, "NextContinuationToken"):
        return Page(objects, {"list-type": "2", **common, "continuation-token": token})
    # Not version 2 of the protocol: version 1 continues after a key.
    marker = decode(document.findtext("{*}NextMarker") or "")
    last = marker or (objects[-1].uri.key if objects else "")
    return Page(objects, {**common, "marker": last})


def document_of(body: bytes) -> ElementTree.Element:
    """The document of a listing's page.

    Raises:
        ElementTree.ParseError: it is another one, such as a page of a proxy.
    """
    document = ElementTree.fromstring(body)
    if document.tag.rpartition("}")[2] != "ListBucketResult":
        raise ElementTree.ParseError(f"it is a document of {document.tag[:100]!r}")
    return document


def plain(etag: str | None) -> str:
    """An etag without quotes, and without the mark that proxies give it that may compress."""
    return (etag or "").removeprefix("W/").strip('"')


def _size(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
