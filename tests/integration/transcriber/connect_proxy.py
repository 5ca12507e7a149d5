"""A proxy that notes what it is asked for, and leads every name to this machine."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer


@dataclass
class Proxy:
    """Its URL, and the method and target of each request.

    ``refuses``: what is asked of it is noted, and no more.
    """

    url: str = ""
    refuses: bool = False
    lines: list[str] = field(default_factory=list)


@contextmanager
def proxying() -> Iterator[Proxy]:
    """A proxy for CONNECT."""
    proxy = Proxy()

    class Tunnel(StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode().strip()
            proxy.lines.append(line.rpartition(" ")[0])
            while self.rfile.readline().strip():
                pass
            if proxy.refuses:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            port = int(line.split()[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=_pump, args=(self.request, server), daemon=True).start()
                _pump(server, self.request)

    ThreadingTCPServer.allow_reuse_address = True
    with ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy
        server.shutdown()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
