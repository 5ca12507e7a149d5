"""Every query of the dashboard and every alert, on what a real run told a real Prometheus.

Operator and worker are processes; the pods of the operator's jobs are played. With
DASHBOARD_PICTURE=1 the run is longer, and the picture in docs/ is drawn of it.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from dev.paths import ROOT
from dev.picture import draw
from tests.api import Api
from tests.integration.operator.company import Company
from tests.integration.operator.process import CHART, Operator
from tests.integration.prometheus import Prometheus, prometheus
from tests.integration.transcriber.speech import speak
from tests.integration.transcriber.worker import Cluster
from tests.ports import free_ports
from tests.stage import new_namespace
from transcription_contract.decoding import Decoding

RULES = CHART / "files" / "alerts.yaml"
DASHBOARD: dict[str, Any] = json.loads((CHART / "files" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]
PICTURE = ROOT / "docs" / "images" / "dashboard.svg"
RATE_INTERVAL = "15s"
"""Grafana makes it at least four times what lies between two scrapes."""


@dataclass(frozen=True)
class Watched:
    """A run that is over, from ``begin`` to ``end`` in seconds since 1970."""

    prometheus: Prometheus
    begin: float
    end: float

    def series(self, query: str) -> dict[str, list[tuple[float, float]]]:
        query = query.replace("$__rate_interval", RATE_INTERVAL)
        return self.prometheus.series(query, self.begin, self.end)


@dataclass(frozen=True)
class Size:
    """``rounds`` of jobs, each begun when few of the last one's are left; ``seconds`` of audio."""

    rounds: int = 1
    pods_run: tuple[float, float] = (0.5, 3.0)
    seconds: float = 120.0


DRAWS = "DASHBOARD_PICTURE" in os.environ
SIZE = Size(12, (2.0, 10.0), 2400.0) if DRAWS else Size()
ROUND = ("done",) * 10 + ("again", "bad")


@pytest.fixture(scope="module")
def watched(
    control_plane: ControlPlane,
    api: Api,
    operator_kubeconfig: Path,
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    namespace = new_namespace(api, "watched-")
    operator_port, worker_port = free_ports(2)
    operator = Operator(
        operator_kubeconfig,
        folder / "operator.log",
        OPERATOR_HTTP_PORT=str(operator_port),
        # Other tests leave jobs behind, which wait for longer than an alert allows.
        OPERATOR_WATCH_NAMESPACES=json.dumps([namespace]),
        OPERATOR_MAX_ACTIVE_JOBS="4",
    )
    recording = speak(SIZE.seconds).encode(folder / "talk.mp3", "-b:a", "64k")
    source = cluster.store.put("media", f"{folder.name}/talk.mp3", recording)
    # By beams, so that it takes long enough to be scraped often.
    task = cluster.task(source, decoding=Decoding(beam_size=5))
    labels = {"namespace": "media", "pod": "standup-1a2b3c4d-1-0-x7k2p"}
    targets = {
        "operator": [{"targets": [f"127.0.0.1:{operator_port}"]}],
        "workers": [{"targets": [f"127.0.0.1:{worker_port}"], "labels": labels}],
    }
    try:
        operator.start()
        with prometheus(folder, targets, RULES) as scraping:
            wait_until("the operator is scraped", lambda: scraping.is_up("operator"), 30)
            begin = time.time()
            environment = {"METRICS_PORT": str(worker_port)}
            worker = cluster.start(task, environment=environment)
            try:
                busy = _live(api, control_plane.kubeconfig, namespace)
                assert worker.wait() == 0, worker.log
            finally:
                worker.process.kill()
                worker.process.wait()
            # The picture ends in the midst of work.
            yield Watched(scraping, begin, busy if DRAWS else time.time())
    finally:
        operator.kill()


def _live(api: Api, kubeconfig: Path, namespace: str) -> float:
    """All the jobs' lives; when the last of them were under way."""
    with Company.gather(api, kubeconfig, namespace, SIZE.pods_run) as company:
        for _ in range(SIZE.rounds):
            company.apply(*ROUND)
            few = len(company.names) - len(ROUND) // 2
            wait_until("most have ended", lambda few=few: company.witness.finished() >= few, 120)
        busy = time.time()
        company.await_end(timeout=120)
        assert not company.verdict().complaints
    return busy


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_dashboard_has_data(watched: Watched, query: str):
    assert watched.series(query)


def test_every_alert_is_evaluated_and_those_of_what_went_well_are_silent(watched: Watched):
    rules = watched.prometheus.rules
    wait_until("every alert is evaluated", lambda: {r["health"] for r in rules()} == {"ok"}, 30)
    # One in twelve of the jobs failed, for its recording; that is no fault of the installation. An
    # answer that came too late for one scrape makes an alert pending, and no more.
    assert "firing" not in {rule["state"] for rule in rules()}


@pytest.mark.parametrize(
    "metric", sorted(set(re.findall(r"\btranscription_\w+", RULES.read_text())))
)
def test_a_metric_that_an_alert_looks_at_is_there(watched: Watched, metric: str):
    assert watched.series(metric)


def test_the_picture_shows_every_panel(watched: Watched):
    answers = {
        panel["title"]: {
            _legend(target["legendFormat"], json.loads(labels)): points
            for target in panel["targets"]
            for labels, points in watched.series(target["expr"]).items()
        }
        for panel in PANELS
    }
    picture = draw(DASHBOARD["panels"], answers)
    if DRAWS:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture)
    drawn = ElementTree.fromstring(picture)
    assert {panel["title"] for panel in PANELS} <= set(drawn.itertext())


def _legend(text: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels[found[1]], text)
