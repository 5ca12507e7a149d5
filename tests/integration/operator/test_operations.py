"""Two operators, one lease; probes and metrics; settings that are wrong."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from dev.commands import wait_until
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import NAMESPACE, Operator
from tests.integration.operator.test_lives import DELIVERED
from tests.ports import free_ports


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


@pytest.fixture
def two(operator_kubeconfig: Path, tmp_path: Path, request) -> Iterator[tuple[Operator, Operator]]:
    """Two candidates for a lease of this test's own."""
    operators = [
        Operator(
            operator_kubeconfig,
            tmp_path / f"{name}.log",
            OPERATOR_LEADER_ELECTION="true",
            OPERATOR_LEASE_NAMESPACE=NAMESPACE,
            OPERATOR_IDENTITY=name,
        )
        for name in ("one", "two")
    ]
    yield operators[0], operators[1]
    for operator in operators:
        operator.kill()


def leads(operator: Operator) -> bool:
    return "leading as" in operator.log


def test_of_two_operators_one_works_and_the_other_takes_over_when_it_is_killed(
    two: tuple[Operator, Operator], stage: PlayedStage
):
    first, second = two
    first.start()
    second.start(ready=False)
    stage.apply()
    pod = stage.await_pod()
    stage.await_status(phase="Pending")
    assert not leads(second)
    first.kill()
    began = time.monotonic()
    stage.end_pod(pod, 0, DELIVERED)
    stage.await_status(phase="Succeeded", timeout=60)
    assert leads(second)
    assert time.monotonic() - began < 20
    assert len(stage.jobs()) == 1


def test_an_operator_that_is_asked_to_stop_hands_over_at_once(
    two: tuple[Operator, Operator], stage: PlayedStage
):
    first, second = two
    first.start()
    second.start(ready=False)
    assert first.stop() == 0
    wait_until("the other one leads", lambda: leads(second), timeout=20)
    stage.apply()
    stage.await_pod()


@pytest.fixture
def address(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    operator = Operator(operator_kubeconfig, tmp_path / "log", OPERATOR_HTTP_PORT=str(port))
    operator.start()
    yield f"http://127.0.0.1:{port}"
    operator.kill()


def read(url: str) -> str:
    with urlopen(url) as answer:
        text: str = answer.read().decode()
        return text


def test_probes_are_answered_and_metrics_count(address: str, stage: PlayedStage):
    assert read(f"{address}/healthz") == "ok\n"
    assert read(f"{address}/readyz") == "ok\n"
    stage.apply()
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status(phase="Succeeded")
    metrics = read(f"{address}/metrics")
    assert re.search(r'transcription_jobs\{phase="Succeeded"\} [1-9]', metrics)
    labels = 'fault="none",phase="Succeeded",reason="Delivered"'
    assert f"transcription_jobs_finished_total{{{labels}}} " in metrics
    assert 'workqueue_adds_total{name="transcriptionjobs"}' in metrics
    assert 'transcription_operator_watch_age_seconds{resource="pods"}' in metrics
    assert re.search(r'api_requests_total\{code="201",resource="jobs",verb="create"\} ', metrics)
    assert stage.namespace not in metrics


def test_the_log_is_json_and_names_the_job(operator: Operator, stage: PlayedStage):
    stage.apply()
    stage.await_status(phase="Pending")
    lines = [json.loads(line) for line in operator.log.splitlines()]
    about = [line for line in lines if line.get("job") == f"{stage.namespace}/standup"]
    assert any(line["message"].startswith("created Job standup-") for line in about)


def test_settings_that_are_wrong_are_named_all_at_once(operator_kubeconfig: Path, tmp_path: Path):
    operator = Operator(
        operator_kubeconfig,
        tmp_path / "log",
        OPERATOR_API_QPS="-1",
        OPERATOR_DEFAULT_NODE_POOL="h100",
        OPERATOR_PROGRESS_INTERVAL_SECONDS="soon",
    )
    operator.start(ready=False)
    assert operator.wait() == 78
    assert "OPERATOR_API_QPS" in operator.log
    assert "OPERATOR_PROGRESS_INTERVAL_SECONDS" in operator.log
