"""kubectl scale: the subresource of spec.workers, with the real Job controller."""

import pytest

from dev.commands import wait_until
from dev.controlplane import ControlPlane
from dev.errors import CommandError
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator


@pytest.fixture
def stage(api, namespace) -> PlayedStage:
    return PlayedStage(api, namespace)


def scale(control_plane: ControlPlane, stage: PlayedStage, replicas: int) -> None:
    control_plane.kubectl(
        "scale", "transcriptionjob/standup", "-n", stage.namespace, f"--replicas={replicas}"
    )


def test_kubectl_scales_the_workers_of_a_running_job(
    operator: Operator, stage: PlayedStage, control_plane: ControlPlane
):
    stage.apply()
    stage.run_pod(stage.await_pod())
    stage.await_status(phase="Running")
    scale(control_plane, stage, 3)
    wait_until("there are 3 pods", lambda: len(stage.pods()) == 3, timeout=60)
    (job,) = stage.jobs()
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (3, 3)
    wait_until("3 are active", lambda: stage.status()["workers"]["active"] == 3, timeout=60)
    found = control_plane.kubectl.json(
        "get", "tj/standup", "-n", stage.namespace, "--subresource=scale"
    )
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (3, 3)


@pytest.mark.parametrize("replicas", [0, 1001])
def test_a_number_that_spec_workers_does_not_take_is_refused(
    stage: PlayedStage, control_plane: ControlPlane, replicas: int
):
    stage.apply()
    with pytest.raises(CommandError, match=r"spec\.workers: Invalid value"):
        scale(control_plane, stage, replicas)
