"""A gate in front of an S3 server: parts are stored when the test lets them, and not before.

A worker with the demo model is done within a second, which is too short to be watched by looking
at the store again and again. At the gate it waits, and everything that a test wants to know about
that moment stands still.
"""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_LOOK_SECONDS = 0.02
_OWN_HEADERS = frozenset({"transfer-encoding", "connection", "content-length"})


@dataclass
class Gate:
    """``url``: where workers find the store."""

    url: str = ""
    _held: int = 0
    _places: int = 0
    _let_in: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def held(self) -> int:
        """How many uploads of parts wait now."""
        with self._changed:
            return self._held

    @property
    def environment(self) -> dict[str, str]:
        """What leads a worker through the gate."""
        return {"AWS_ENDPOINT_URL": self.url}

    def let(self, parts: int) -> None:
        """Let so many more parts pass."""
        with self._changed:
            self._places += parts
            self._changed.notify_all()

    def open(self) -> None:
        """Let everything pass from now on."""
        self.let(1_000_000)

    def passes(self, part: str, client: socket.socket) -> bool:
        """Wait for leave; False when the client has gone meanwhile.

        What was let in once may be written again: a worker's first write tries the store out.
        """
        with self._changed:
            while part not in self._let_in and len(self._let_in) >= self._places:
                self._held += 1
                self._changed.wait(_LOOK_SECONDS)
                self._held -= 1
                if _is_closed(client):
                    return False
            self._let_in.add(part)
            return True


@contextmanager
def gating(endpoint: str) -> Iterator[Gate]:
    """A gate in front of the S3 server at that URL, closed at first."""
    gate = Gate()
    upstream = urlsplit(endpoint).netloc
    handler = type("Handler", (_Handler,), {"gate": gate, "upstream": upstream})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        gate.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield gate
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: Gate
    upstream: str

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_part = self.command == "PUT" and "/parts/" in self.path
        if is_part and not self.gate.passes(self.path, self.connection):
            self.close_connection = True
            return
        # The Host stays the gate's: it is signed.
        connection = HTTPConnection(self.upstream)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else len(content)
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815


def _is_closed(client: socket.socket) -> bool:
    readable, _, _ = select.select([client], [], [], 0)
    return bool(readable) and not client.recv(1, socket.MSG_PEEK)
