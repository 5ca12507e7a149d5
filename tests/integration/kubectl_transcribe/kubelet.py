"""A kubelet that knows logs only: what the API server asks of a node when somebody wants them."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.api import Api, Json, core


@dataclass
class LogKubelet:
    """A node. ``logs``: of each pod; ``asked``: the queries that came;
    ``silent``: pods that live on and say no more until ``ended``."""

    api: Api
    node: str
    logs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def run_pod(self, namespace: str, name: str, labels: dict[str, str], log: bytes) -> None:
        """A pod of this node that has said something."""
        self.logs[name] = log
        self.api.create(core(namespace, "pods"), _pod(name, self.node, labels))


@contextmanager
def log_kubelet(api: Api, pki: Path, node: str) -> Iterator[LogKubelet]:
    """A node that answers on a port of its own."""
    kubelet = LogKubelet(api, node)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            kubelet.asked.append(address.query)
            self.send_response(200)
            self.end_headers()
            pod = address.path.split("/")[3]
            self.wfile.write(kubelet.logs[pod])
            if pod in kubelet.silent:
                kubelet.ended.wait()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api.create("/api/v1/nodes", {"metadata": {"name": node}})
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    endpoints = {"kubeletEndpoint": {"Port": server.server_address[1]}}
    status = {"addresses": addresses, "daemonEndpoints": endpoints}
    api.merge(f"/api/v1/nodes/{node}/status", {"status": status})
    try:
        yield kubelet
    finally:
        kubelet.ended.set()
        api.delete(f"/api/v1/nodes/{node}")
        server.shutdown()
        server.server_close()


def _pod(name: str, node: str | None, labels: dict[str, str]) -> Json:
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "transcriber",
        "image": "registry.example/x:1",
        "securityContext": security,
    }
    spec: Json = {"containers": [container], "automountServiceAccountToken": False}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {**spec, **({"nodeName": node} if node else {})},
    }


def waiting_pod(name: str, labels: dict[str, str]) -> Json:
    """A pod that is on no node yet."""
    return _pod(name, None, labels)
