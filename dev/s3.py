"""The few S3 calls that the demo needs, signed by hand: dev/ has only the standard library."""

import datetime
import hashlib
import hmac
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from dev.errors import DevError


@dataclass(frozen=True)
class Credentials:
    """Keys of an S3 store."""

    access_key: str
    secret_key: str
    region: str


class NotFoundError(DevError):
    """No such bucket or object."""


@dataclass(frozen=True)
class S3:
    """A store, addressed by path (http://host/bucket/key)."""

    endpoint: str
    credentials: Credentials

    def is_up(self) -> bool:
        """Whether it answers and knows our keys."""
        try:
            self._call("GET", "/")
        except DevError:
            return False
        return True

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket, unless it is there."""
        try:
            self._call("HEAD", f"/{bucket}")
        except NotFoundError:
            self._call("PUT", f"/{bucket}")

    def size(self, bucket: str, key: str) -> int | None:
        """An object's size; None when there is none."""
        keys = self.list(bucket, key)
        return keys.get(key)

    def upload(self, bucket: str, key: str, file: Path) -> None:
        """Store a file (of a few megabytes: it passes through memory)."""
        self._call("PUT", f"/{bucket}/{key}", body=file.read_bytes())

    def download(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        return self._call("GET", f"/{bucket}/{key}")

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object."""
        self._call("DELETE", f"/{bucket}/{key}")

    def list(self, bucket: str, prefix: str = "") -> dict[str, int]:
        """Keys below a prefix and their sizes, the first thousand."""
        answer = self._call("GET", f"/{bucket}", {"list-type": "2", "prefix": prefix})
        found = ElementTree.fromstring(answer).iterfind("{*}Contents")
        return {
            entry.findtext("{*}Key", ""): int(entry.findtext("{*}Size", "0")) for entry in found
        }

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        text = urlencode(sorted((query or {}).items()), quote_via=quote)
        headers = sign(method, self.endpoint, path, text, body, self.credentials, _now())
        url = f"{self.endpoint}{quote(path)}" + (f"?{text}" if text else "")
        request = urllib.request.Request(url, method=method, data=body or None, headers=headers)
        # A proxy that the environment names is for the world outside.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            kind = NotFoundError if error.code == 404 else DevError
            said = error.read().decode(errors="replace")
            raise kind(f"{method} {url}: {error.code} {error.reason}. {said}") from error
        except OSError as error:
            raise DevError(f"{method} {url}: {error}") from error


def sign(
    method: str,
    endpoint: str,
    path: str,
    query: str,
    body: bytes,
    credentials: Credentials,
    now: datetime.datetime,
) -> dict[str, str]:
    """The headers that sign a request, by AWS Signature Version 4."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    content = hashlib.sha256(body).hexdigest()
    headers = {
        "host": urlsplit(endpoint).netloc,
        "x-amz-content-sha256": content,
        "x-amz-date": stamp,
    }
    names = ";".join(headers)
    canonical = "\n".join(
        [method, quote(path), query, *(f"{k}:{v}" for k, v in headers.items()), "", names, content]
    )
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    request = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
