"""An S3 server in memory that has quirks of real ones. Signatures are not checked."""

import gzip
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote
from xml.sax.saxutils import escape, unescape

QUIRKS = {
    "gcs": "names the element Encoding-Type",
    "v1only": "ignores list-type=2, start-after and continuation-token",
    "endless": "begins each page of a listing at the first key",
    "glacier": "has archived the objects of `denied`",
    "denied": "forbids to read the objects of `denied`",
    "kms": "cannot decrypt the objects of `denied`",
    "dots": "refuses names with the segments . and ..",
    "skew": "finds every request too old",
    "expired": "finds every token expired that is not `token`",
    "throttled": "is throttled by its key service once in a while",
    "lock": "wants a checksum with each object",
    "unconditional": "does not know If-None-Match",
    "ignorant": "ignores If-None-Match",
    "no batches": "does not know DeleteObjects",
    "mute": "accepts requests and does not answer them",
    "rangeless": "ignores Range",
    "compressed": "says that its objects are compressed",
    "elsewhere": "has its buckets in eu-west-3",
}


@dataclass
class Stub:
    """What the server has and has seen. ``requests``: method, path with query, headers."""

    quirks: set[str]
    page: int = 1000
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    token: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    failures: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def seen(self, method: str) -> list[str]:
        """The paths of all requests of one method."""
        return [path for each, path, _ in self.requests if each == method]


@contextmanager
def serving(*quirks: str, page: int = 1000, **objects: bytes) -> Iterator[Stub]:
    """A server with some QUIRKS; ``objects`` are in the bucket "media"."""
    assert set(quirks) <= QUIRKS.keys()
    stub = Stub(set(quirks), page, {("media", key): body for key, body in objects.items()})
    handler = type("Handler", (_Handler,), {"stub": stub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        stub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield stub
        stub.closing.set()
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def do_GET(self) -> None:
        bucket, key, query = self._begin()
        if self._refused(bucket, key):
            return
        if not key:
            self._list(bucket, query)
            return
        body = self.stub.objects.get((bucket, key))
        if body is None:
            self._refuse(404, "NoSuchKey")
        elif self.command == "GET" and key in self.stub.denied:
            self._deny()
        else:
            self._send(body)

    do_HEAD = do_GET  # noqa: N815  as http.server has it

    def do_PUT(self) -> None:
        bucket, key, _ = self._begin()
        if self._refused(bucket, key):
            return
        lacks_sum = not any(
            each.lower() == "content-md5" or each.lower().startswith("x-amz-checksum-")
            for each in self.headers
        )
        new = "If-None-Match" in self.headers and "ignorant" not in self.stub.quirks
        if "lock" in self.stub.quirks and lacks_sum:
            self._refuse(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- is required")
        elif new and "unconditional" in self.stub.quirks:
            self._refuse(501, "NotImplemented", "A header you provided is not implemented")
        elif new and (bucket, key) in self.stub.objects:
            self._refuse(412, "PreconditionFailed")
        else:
            self.stub.objects[bucket, key] = self._body
            self._answer(200, ETag=_tag(self._body))

    def do_POST(self) -> None:
        bucket, key, query = self._begin()
        if self._refused(bucket, key):
            return
        if "delete" not in query or "no batches" in self.stub.quirks:
            self._refuse(501, "NotImplemented")
            return
        errors = ""
        for found in re.findall(r"<Key>(.*?)</Key>", self._body.decode(), re.DOTALL):
            if unescape(found) in self.stub.denied:
                errors += f"<Error><Key>{found}</Key><Code>AccessDenied</Code></Error>"
            else:
                self.stub.objects.pop((bucket, unescape(found)), None)
        self._answer(200, f"<DeleteResult>{errors}</DeleteResult>".encode())

    def do_DELETE(self) -> None:
        bucket, key, _ = self._begin()
        if self._refused(bucket, key):
            return
        self.stub.objects.pop((bucket, key), None)
        self._answer(204)

    def _begin(self) -> tuple[str, str, dict[str, str]]:
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.stub.requests.append((self.command, self.path, dict(self.headers)))
        path, _, query = self.path.partition("?")
        bucket, _, key = path[1:].partition("/")
        return bucket, unquote(key), dict(parse_qsl(query, keep_blank_values=True))

    def _refused(self, bucket: str, key: str) -> bool:
        """Whether a quirk has answered the request."""
        quirks = self.stub.quirks
        if "mute" in quirks:
            self.stub.closing.wait(600)
        if "skew" in quirks:
            self._refuse(403, "RequestTimeTooSkewed", "The difference is too large.",
                         Date=formatdate(time.time() - 7200, usegmt=True))  # fmt: skip
        elif "expired" in quirks and self.headers.get("x-amz-security-token") != self.stub.token:
            self._refuse(400, "ExpiredToken", "The provided token has expired.")
        elif "throttled" in quirks and self.stub.failures < 2:
            self.stub.failures += 1
            self._refuse(400, "KMS.ThrottlingException", "You have exceeded the rate")
        elif "dots" in quirks and {".", ".."} & set(key.split("/")):
            self._refuse(400, "XMinioInvalidObjectName", "Object name contains unsupported parts.")
        elif "elsewhere" in quirks and "/eu-west-3/" not in self.headers["Authorization"]:
            self._refuse(301, "PermanentRedirect", x_amz_bucket_region="eu-west-3")
        else:
            return False
        return True

    def _deny(self) -> None:
        if "glacier" in self.stub.quirks:
            self._refuse(403, "InvalidObjectState", "The operation is not valid")
        elif "kms" in self.stub.quirks:
            self._refuse(400, "KMS.DisabledException", "the key is disabled")
        else:
            self._refuse(403, "AccessDenied", "Access Denied")

    def _send(self, body: bytes) -> None:
        more: dict[str, Any] = {"ETag": _tag(body), "Last_Modified": formatdate(0, usegmt=True)}
        if "compressed" in self.stub.quirks:
            more["Content_Encoding"] = "gzip"
        asked = self.headers.get("Range")
        if not asked or "rangeless" in self.stub.quirks:
            self._answer(200, body, **more)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last or len(body)), len(body) - 1)
        part = body[int(first) : end + 1]
        self._answer(206, part, Content_Range=f"bytes {first}-{end}/{len(body)}", **more)

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        quirks = self.stub.quirks
        keys = sorted(
            key for each, key in self.stub.objects
            if each == bucket and key.startswith(query.get("prefix", ""))
        )  # fmt: skip
        after = query.get("continuation-token") or query.get("start-after", "")
        if "v1only" in quirks:
            after = query.get("marker", "")
        left = [key for key in keys if key > after or "endless" in quirks]
        page = left[: min(self.stub.page, int(query.get("max-keys", "1000")))]
        more = len(left) > len(page)
        encoded = query.get("encoding-type") == "url"
        parts = [f"<IsTruncated>{str(more).lower()}</IsTruncated>"]
        for key in page:
            body = self.stub.objects[bucket, key]
            shown = quote_plus(key, safe="/") if encoded else escape(key)
            parts.append(
                f"<Contents><Key>{shown}</Key><Size>{len(body)}</Size><ETag>"
                f"{escape(_tag(body))}</ETag><LastModified>2026-01-01T00:00:00.000Z"
                "</LastModified></Contents>"
            )
        if encoded:
            name = "Encoding-Type" if "gcs" in quirks else "EncodingType"
            parts.append(f"<{name}>url</{name}>")
        if more and not {"v1only"} & quirks:
            token = escape(page[-1]) if "endless" not in quirks else "again"
            parts.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
        self._answer(200, f"<ListBucketResult>{''.join(parts)}</ListBucketResult>".encode())

    def _refuse(self, status: int, code: str, message: str = "", **headers: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        self._answer(status, body, Content_Type="application/xml", **headers)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response_only(status)
        headers.setdefault("Date", formatdate(usegmt=True))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def _tag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


BOMB = gzip.compress(bytes(300_000))
"""Some 300 bytes that unpack to 300,000."""
