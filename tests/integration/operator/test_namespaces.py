"""A namespace that is deleted with all that is in it."""

import pytest

from dev.commands import wait_until
from tests.api import Api
from tests.integration.operator.kubelet import PlayedStage
from tests.integration.operator.process import Operator


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_a_namespace_goes_though_a_job_is_at_work_in_it(
    operator: Operator, api: Api, namespace: str, phase: str
):
    stage = PlayedStage(api, namespace)
    stage.apply()
    pod = stage.await_pod()
    if phase == "Running":
        stage.run_pod(pod)
    stage.await_status(phase=phase)

    path = f"/api/v1/namespaces/{namespace}"
    api.delete(path)
    wait_until("the namespace is gone", lambda: api.get(path) is None, timeout=60)
