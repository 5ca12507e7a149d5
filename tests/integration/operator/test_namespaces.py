"""A namespace that is deleted with all that is in it."""

from collections.abc import Callable

import pytest

from dev.commands import wait_until
from tests.api import Api, transcription_jobs
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator


def work(stage: PlayedStage, pod: str) -> None:
    stage.run_pod(pod)
    stage.await_status(phase="Running")


def fail_and_be_suspended(stage: PlayedStage, pod: str) -> None:
    work(stage, pod)
    stage.end_pod(pod, 69)
    stage.await_status(reason="WorkerRestarting")
    path = f"{transcription_jobs(stage.namespace)}/standup"
    stage.api.merge(path, {"spec": {"suspend": True}})
    stage.await_status(phase="Suspended")


@pytest.mark.parametrize(
    "so_far",
    [lambda _stage, _pod: None, work, fail_and_be_suspended],
    ids=["waiting for a node", "at work", "suspended after a worker failed"],
)
def test_a_namespace_goes_with_the_jobs_that_are_in_it(
    operator: Operator, api: Api, namespace: str, so_far: Callable[[PlayedStage, str], None]
):
    stage = PlayedStage(api, namespace)
    stage.apply()
    so_far(stage, stage.await_pod())
    path = f"/api/v1/namespaces/{namespace}"
    api.delete(path)
    wait_until("the namespace is gone", lambda: api.get(path) is None, timeout=90)
