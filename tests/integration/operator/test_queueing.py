"""The operator's own queue: as many jobs at once as the settings allow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator
from tests.integration.operator.test_holding import change
from tests.integration.operator.test_lives import DELIVERED


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


@pytest.fixture
def operator(operator_kubeconfig: Path, tmp_path: Path) -> Iterator[Operator]:
    """One that allows a single job in each namespace."""
    log = tmp_path / "operator.log"
    operator = Operator(operator_kubeconfig, log, OPERATOR_MAX_ACTIVE_JOBS_PER_NAMESPACE="1")
    operator.start()
    yield operator
    operator.kill()


def test_jobs_run_one_after_the_other_in_the_order_of_their_creation(
    operator: Operator, stage: PlayedStage
):
    stage.apply(name="first")
    stage.await_status("first", phase="Pending")
    stage.apply(name="second")
    stage.await_status("second", phase="Queued", queuePosition=1)
    assert len(stage.jobs()) == 1
    stage.end_pod(stage.await_pod(), 0, DELIVERED)
    stage.await_status("first", phase="Succeeded")
    status = stage.await_status("second", phase="Pending")
    assert "queuePosition" not in status


def test_a_restarted_operator_lets_nobody_in_beyond_the_limit(
    operator: Operator, stage: PlayedStage
):
    stage.apply(name="first")
    stage.await_status("first", phase="Pending")
    stage.apply(name="second")
    stage.await_status("second", phase="Queued")
    operator.kill()
    stage.apply(name="third")
    operator.start()
    stage.await_status("third", phase="Queued")
    # Created within one second, they may stand in either order.
    positions = {stage.status(name)["queuePosition"] for name in ("second", "third")}
    assert positions <= {1, 2}
    assert len(stage.jobs()) == 1


def test_a_suspended_job_makes_room_and_waits_for_it_when_it_is_resumed(
    operator: Operator, stage: PlayedStage
):
    stage.apply(name="first")
    stage.await_status("first", phase="Pending")
    stage.apply(name="second")
    stage.await_status("second", phase="Queued")
    change(stage, "first", suspend=True)
    stage.await_status("second", phase="Pending")
    change(stage, "first", suspend=False)
    stage.await_status("first", phase="Queued", queuePosition=1)
    (suspended,) = (job for job in stage.jobs() if job["spec"].get("suspend"))
    assert suspended["metadata"]["name"].startswith("first")
