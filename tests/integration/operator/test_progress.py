from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from dev.commands import wait_until
from tests.api import core
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_lives import DELIVERED
from transcription_contract import metric_names


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


class _Metrics(BaseHTTPRequestHandler):
    processed = 0.0

    def do_GET(self) -> None:  # the name that http.server calls
        body = (
            f"{metric_names.PROCESSED_SECONDS} {type(self).processed}\n"
            f"{metric_names.TOTAL_SECONDS} 1000\n"
        ).encode()
        self.send_response(200)
        self.end_headers()
        # In two pieces, as a network may deliver it, and cut in the middle of a name.
        self.wfile.write(body[:30])
        self.wfile.flush()
        Event().wait(0.1)
        self.wfile.write(body[30:])

    def log_message(self, *_: object) -> None:
        """Keep the test's output to itself."""


@pytest.fixture
def worker_metrics() -> Iterator[type[_Metrics]]:
    address = ("127.0.0.9", metric_names.METRICS_PORT)
    server = ThreadingHTTPServer(address, _Metrics)
    Thread(target=server.serve_forever, daemon=True).start()
    yield _Metrics
    server.shutdown()
    server.server_close()


def test_progress_is_read_from_the_worker_and_never_goes_back(
    operator: Operator, stage: PlayedStage, worker_metrics: type[_Metrics]
):
    def percent() -> int:
        return stage.status().get("progress", {}).get("percent", -1)

    stage.apply()
    worker_metrics.processed = 100.0
    pod = stage.await_pod()
    stage.run_pod(pod, podIP="127.0.0.9", podIPs=[{"ip": "127.0.0.9"}])
    wait_until("10 %", lambda: percent() == 10, timeout=20)
    worker_metrics.processed = 550.0
    wait_until("55 %", lambda: percent() == 55, timeout=20)
    worker_metrics.processed = 200.0
    stage.end_pod(pod, 0, DELIVERED)
    wait_until("the end", lambda: percent() != 55, timeout=20)
    assert percent() == 100


def test_a_pod_that_only_wears_the_label_is_nobodys_worker(operator: Operator, stage: PlayedStage):
    stage.apply()
    worker = stage.await_pod()
    genuine = next(pod for pod in stage.pods() if pod["metadata"]["name"] == worker)
    keep = ("labels", "annotations")
    metadata = {key: genuine["metadata"][key] for key in keep} | {"name": "impostor"}
    spec = {k: v for k, v in genuine["spec"].items() if k not in ("hostname", "nodeName")}
    stage.api.create(core(stage.namespace, "pods"), {"metadata": metadata, "spec": spec})
    stage.end_pod("impostor", 0, DELIVERED)
    stage.run_pod(worker)
    stage.await_status(phase="Running")
    assert "result" not in stage.status()
