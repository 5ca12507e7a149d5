"""Single requests in the S3 protocol: addresses, signatures, and refusals as exceptions.

Of minio it takes what is hard to get right, the signature and the providers of keys. Its client is
not used: it refuses names that stores accept, pages through listings without end when a store
repeats itself, asks for a bucket's location with a right that few policies grant, and drops the
headers that tell a wrong clock from wrong keys.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import md5, sha256
from urllib.parse import SplitResult, quote, urlencode
from xml.etree import ElementTree

import urllib3
from minio.credentials.credentials import Credentials
from minio.credentials.providers import Provider
from minio.signer import sign_v4_s3

from whisper_transcriber.errors import ConfigurationInvalid
from whisper_transcriber.settings import StoreSettings
from whisper_transcriber.storage.addresses import networks
from whisper_transcriber.storage.addressing import Addressing, Place
from whisper_transcriber.storage.downloads import CONNECT_SECONDS, READ_SECONDS
from whisper_transcriber.storage.guard import Guard
from whisper_transcriber.storage.keys import provider
from whisper_transcriber.storage.proxies import pool_manager

Response = urllib3.BaseHTTPResponse

_CONNECTIONS = 16
"""Kept open: downloads, the delivery's threads and the planner's use the store at once."""

_MOST_OBJECT_BYTES = 256 << 20
_MOST_XML_BYTES = 16 << 20
"""Four times a thousand keys of the greatest length. In memory, a document is many times larger."""

_MOST_REFUSAL_BYTES = 1 << 16
_CODE_CHARACTERS, _MESSAGE_CHARACTERS = 100, 500
_REGION = re.compile(r"[a-z0-9-]{1,63}")
_HEADER = re.compile(r"[ -~]*")
_PIECE_BYTES = 1 << 20

_WITHOUT_BODY = {403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed"}


class RefusalError(Exception):
    """The store answered with a status that is no success.

    ``code``: S3's word, such as NoSuchKey; empty if the answer is not one of an S3 store.
    ``region``: in which the store says that the bucket is. ``moment``: the store's clock, as its
    Date header has it. ``is_foreign``: the body is something else than a store's, such as a page.
    """

    def __init__(
        self, status: int, code: str, message: str, keys: Credentials | None = None
    ) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.status = status
        self.code = code
        self.message = message
        self.keys = keys
        self.region: str | None = None
        self.moment = ""
        self.is_foreign = False


class S3Client:
    """Requests to one endpoint. Nothing is tried again here but a request to a wrong region."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._addressing = Addressing(settings)
        self._keys: Provider = provider(settings)
        self._http = pool_manager(
            self._addressing.scheme,
            self._addressing.netloc,
            _guard(settings),
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(settings.certificates) if settings.certificates else None,
        )

    def open(
        self,
        method: str,
        bucket: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """A successful response whose body is unread; the caller closes it.

        Raises:
            RefusalError: the status is no success.
            urllib3.exceptions.HTTPError: no response.
            AccessDenied: there are no keys.
        """
        given = (method, bucket, key, dict(query or {}), dict(headers or {}), body)
        region = self._addressing.region(bucket)
        try:
            return self._send(region, *given)
        except RefusalError as refusal:
            if refusal.region in (None, region):
                raise
            self._addressing.learn(bucket, str(refusal.region))
        return self._send(self._addressing.region(bucket), *given)

    def exchange(
        self,
        method: str,
        bucket: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[Response, bytes]:
        """A successful response and its body, as it is stored.

        Raises:
            ConfigurationInvalid: the body is larger than any that this program works with.
            Exception: what ``open`` raises.
        """
        response = self.open(method, bucket, key, query=query, headers=headers, body=body)
        try:
            return response, _body(response, bucket, key)
        finally:
            response.close()
            response.release_conn()

    def has_other_keys_than(self, keys: Credentials | None) -> bool:
        """Whether the keys were changed since a request was signed with ``keys``."""
        return keys is not None and self._keys.retrieve() != keys

    def _send(
        self,
        region: str,
        method: str,
        bucket: str,
        key: str,
        query: dict[str, str],
        headers: dict[str, str],
        body: bytes,
    ) -> Response:
        scheme = self._addressing.scheme
        place = self._addressing.place(bucket, key, region)
        url = SplitResult(
            scheme,
            place.netloc(scheme),
            place.path,
            urlencode(query, quote_via=quote, safe="~"),
            "",
        )
        keys = self._keys.retrieve()
        signed = self._signed(method, url, region, headers, body, keys)
        response = self._request(method, place, url, body, signed)
        if response.status in (200, 204, 206):
            return response
        raise _refusal(response, method, keys)

    def _request(
        self, method: str, place: Place, url: SplitResult, body: bytes, headers: dict[str, str]
    ) -> Response:
        pool = self._http.connection_from_host(place.host, place.port, url.scheme)
        # The path alone: of a whole URL urllib3 takes the segments "." and ".." out.
        target = url.path + (f"?{url.query}" if url.query else "")
        if url.scheme == "http" and self._http.proxy is not None:
            target = url.geturl()
        # The error would show the header: a token, or a signature.
        if not all(_HEADER.fullmatch(value) for value in headers.values()):
            raise ConfigurationInvalid(
                f"a value in {self._settings.keys_from} has a line break or a character that is "
                "not ASCII: write accessKey, sessionToken, region and kmsKeyId as they were issued"
            )
        return pool.urlopen(
            method,
            target,
            body=body or None,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _signed(
        self,
        method: str,
        url: SplitResult,
        region: str,
        headers: dict[str, str],
        body: bytes,
        keys: Credentials,
    ) -> dict[str, str]:
        digest = sha256(body).hexdigest()
        moment = datetime.now(UTC)
        full = {
            **headers,
            "Host": url.netloc,
            "x-amz-date": moment.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": digest,
        }
        if method in ("PUT", "POST"):
            # Buckets with Object Lock, and DeleteObjects everywhere, want it.
            sum_ = md5(body, usedforsecurity=False).digest()
            full |= {"Content-Length": str(len(body)), "Content-MD5": b64encode(sum_).decode()}
        if keys.session_token:
            full["x-amz-security-token"] = keys.session_token
        if self._settings.request_payer:
            full["x-amz-request-payer"] = self._settings.request_payer
        signed = sign_v4_s3(
            method=method, url=url, region=region, headers=dict(full), credentials=keys,
            content_sha256=digest, date=moment,
        )  # fmt: skip
        # Not signed: proxies rewrite it.
        return {key: str(value) for key, value in signed.items()} | {"Accept-Encoding": "identity"}


def _guard(settings: StoreSettings) -> Guard | None:
    """Without keys of its own, a job must not make workers send requests into the cluster."""
    if settings.allowed_networks is None:
        return None
    return Guard("spec.objectStore.endpoint", networks(settings.allowed_networks))


def _body(response: Response, bucket: str, key: str) -> bytes:
    most, body = _MOST_OBJECT_BYTES if key else _MOST_XML_BYTES, bytearray()
    while piece := response.read(_PIECE_BYTES, decode_content=False):
        body += piece
        if len(body) > most:
            raise ConfigurationInvalid(
                f"the object store's answer for s3://{bucket}/{key} is larger than {most} bytes: "
                "the object is not one of this program's, or the endpoint is no object store"
            )
    return bytes(body)


def _refusal(response: Response, method: str, keys: Credentials) -> RefusalError:
    try:
        body = b"" if method == "HEAD" else response.read(_MOST_REFUSAL_BYTES, decode_content=False)
    finally:
        response.close()
        response.release_conn()
    status = response.status
    document = _document(body)
    if document is not None:
        code = text_of(document, "Code")[:_CODE_CHARACTERS]
        message = text_of(document, "Message")[:_MESSAGE_CHARACTERS]
    elif body.strip():
        code, message = "", f"the answer with status {status} is not one of an S3 store"
    else:
        code, message = _WITHOUT_BODY.get(status, ""), f"it answered with status {status}"
    made = RefusalError(status, code, message, keys)
    made.is_foreign = document is None and bool(body.strip())
    made.moment = response.headers.get("Date", "")
    region = response.headers.get("x-amz-bucket-region")
    if document is not None and code == "AuthorizationHeaderMalformed":
        region = region or text_of(document, "Region")
    # It becomes part of a header, and of a host's name.
    made.region = region if region and _REGION.fullmatch(region) else None
    return made


def _document(body: bytes) -> ElementTree.Element | None:
    try:
        found = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
    return found if found.find("{*}Code") is not None else None


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of a child element in any namespace; empty if there is none."""
    return (element.findtext(f"{{*}}{name}") or "").strip()
