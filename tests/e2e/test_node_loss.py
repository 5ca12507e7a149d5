"""A node dies with everything on it; the job goes on elsewhere."""

from collections.abc import Iterator

import pytest

from dev import cluster, images
from dev.cluster import CONTROL_PLANE, CPU_NODE, GPU_NODE
from dev.commands import wait_until
from dev.kubectl import Kubectl
from dev.processes import end, strays
from tests.e2e.conftest import Bucket, ClusterStage
from tests.e2e.processes import kill, pids_of_module
from tests.e2e.test_faults import outputs, parts


@pytest.fixture
def only_the_gpu_node(kubectl: Kubectl) -> Iterator[None]:
    """The other node takes no new pods until the test says so."""
    kubectl("cordon", CPU_NODE.name)
    yield
    kubectl("uncordon", CPU_NODE.name)


@pytest.fixture
def mended(kubectl: Kubectl) -> Iterator[None]:
    """The lost node is started again in the end."""
    yield
    GPU_NODE.start_containerd(str(images.ensure_program("pause")))
    GPU_NODE.start_kubelet(CONTROL_PLANE)
    GPU_NODE.wait_until_ready(CONTROL_PLANE)
    assert cluster.is_healthy()


def lose(worker_uid: str) -> None:
    """SIGKILL to kubelet, containerd, shims and the worker, as when the power fails."""
    GPU_NODE.processes.stop(*GPU_NODE.process_names)
    end(strays(GPU_NODE.folder, GPU_NODE.run_folder), grace=0)
    kill(pids_of_module("whisper_transcriber", environment=worker_uid))


def test_a_job_whose_node_is_lost_goes_on_on_another_one(
    stage: ClusterStage,
    transcripts: Bucket,
    kubectl: Kubectl,
    mended: None,
    only_the_gpu_node: None,
):
    stage.apply_recording("undisturbed", nodePool="anywhere")
    assert stage.follow("undisturbed")[-1]["phase"] == "Succeeded"
    stage.apply_recording("lost", nodePool="anywhere")
    wait_until(
        "it is about halfway",
        lambda: stage.status("lost").get("progress", {}).get("percent", 0) >= 40,
        timeout=120,
    )
    (first,) = (pod for pod in stage.pods() if pod["status"]["phase"] == "Running")
    assert first["spec"]["nodeName"] == GPU_NODE.name
    lose(stage.parent("lost")["metadata"]["uid"])
    stored = parts(transcripts, stage, "lost")
    kubectl("uncordon", CPU_NODE.name)
    last = stage.follow("lost", timeout=600)[-1]
    assert last["phase"] == "Succeeded", last["message"]
    assert len(stored) >= 3
    (second,) = (pod for pod in stage.pods() if pod["spec"]["nodeName"] == CPU_NODE.name)
    assert second["status"]["phase"] == "Succeeded"
    assert outputs(transcripts, stage, "lost") == outputs(transcripts, stage, "undisturbed")
