"""An https server that does to its clients whatever a test wants."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ETAG = '"first"'

Answer = Callable[["Exchange"], None]


@dataclass
class File:
    """A file as an ordinary server sends it, with ranges unless told otherwise."""

    content: bytes
    etag: str | None = ETAG
    ranges: bool = True
    modified: str | None = None
    cut_after: int | None = None

    def __call__(self, exchange: "Exchange") -> None:
        """Answer a GET."""
        size, start, end = len(self.content), 0, len(self.content)
        asked = exchange.headers.get("Range") if self.ranges else None
        headers = {"ETag": self.etag, "Last-Modified": self.modified}
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(size, int(last or size) + 1)
            if start >= size:
                exchange.answer(416, {**headers, "Content-Range": f"bytes */{size}"})
                return
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        body = self.content[start:end]
        headers["Content-Length"] = str(len(body))
        exchange.answer(206 if asked else 200, headers, body[: self.cut_after])


class Exchange(BaseHTTPRequestHandler):
    """One request; ``answer`` it."""

    server: "_Server"

    def do_GET(self) -> None:
        """Leave it to the test."""
        self.server.web.requests.append((self.path, dict(self.headers)))
        self.server.web.answers[self.path.partition("?")[0]](self)

    def do_POST(self) -> None:
        """The same."""
        self.do_GET()

    def answer(
        self, status: int, headers: dict[str, str | None] | None = None, body: bytes = b""
    ) -> None:
        """Send a whole answer and end the connection."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@dataclass
class Web:
    """What the server answers, by path; what it was asked, in order."""

    port: int
    certificate: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """A URL of this server."""
        return f"https://{host}:{self.port}{path}"

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        """Send those who ask for ``path`` to ``target``."""
        self.answers[path] = lambda exchange: exchange.answer(status, {"Location": target})


class _Server(ThreadingHTTPServer):
    web: Web
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none."""


@contextmanager
def serve(directory: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> Iterator[Web]:
    """A server with a certificate of its own for ``names``."""
    certificate, key = directory / "tls.crt", directory / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=test", "-addext", f"subjectAltName={names}", "-keyout", str(key), "-out",
         str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _Server(("127.0.0.1", 0), Exchange) as server:
        server.web = Web(server.server_port, certificate)
        # Shaken in the thread of each connection, or a client that hangs would stop the server.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.web
        finally:
            server.shutdown()
