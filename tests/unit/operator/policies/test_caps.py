from typing import Any

import pytest

from tests.unit.operator.builders import owner, settings
from transcription_operator.policies import caps
from transcription_operator.settings import JobLimits, NodePool

CAPPED = {
    "limits": JobLimits(max_workers=8, max_resources={"memory": "32Gi", "cpu": 8}),
    "node_pools": settings().node_pools
    | {"small": NodePool(max_workers=2, max_resources={"memory": "4Gi", "rdma/hca": 1})},
}


def problems(pool: str, changes: dict[str, Any] | None = None, **spec: Any) -> list[str]:
    return list(caps.problems(owner(**spec), pool, settings(**changes or CAPPED)))


@pytest.mark.parametrize(
    ("pool", "workers", "most"),
    [("cpu", 8, None), ("cpu", 9, "8. Ask the operator's administrator to raise limits.maxWorkers"),
     ("small", 2, None), ("small", 3, "2. Ask the operator's administrator to raise "
                          "nodePools.small.maxWorkers")],
)  # fmt: skip
def test_workers_are_limited_by_the_settings_and_by_the_pool(pool, workers, most):
    found = problems(pool, workers=workers)
    assert found == (
        [f"workers is {workers}, but the operator's settings allow at most {most}."] if most else []
    )


def test_without_limits_a_job_may_have_as_much_as_the_resource_takes():
    resources = {"requests": {"cpu": 0, "memory": "1Ti"}, "limits": {"nvidia.com/gpu": 8}}
    assert problems("a100", {"limits": JobLimits()}, workers=1000, resources=resources) == []


RESOURCES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("at the limit", "cpu", {"limits": {"memory": "32Gi"}}, None),
    ("at the limit, in other units", "cpu", {"limits": {"memory": "32768Mi"}}, None),
    ("over it", "cpu", {"limits": {"memory": "33Gi"}},
     "resources.limits.memory is 33Gi, but the operator's settings allow at most 32Gi"),
    ("a request over it", "cpu", {"requests": {"cpu": "8001m"}},
     "resources.requests.cpu is 8001m, but the operator's settings allow at most 8"),
    ("over the pool's", "small", {"limits": {"memory": "5Gi"}}, "nodePools.small.maxResources"),
    ("a device of the pool's list", "small", {"limits": {"rdma/hca": 1}}, None),
    ("of another pool's list", "cpu", {"limits": {"rdma/hca": 1}},
     "workers of the node pool 'cpu' cannot have this resource, only cpu, ephemeral-storage, "
     "memory."),
    ("the pool's GPU", "a100", {"limits": {"nvidia.com/gpu": 2}}, None),
    ("no GPU", "a100", {"limits": {"nvidia.com/gpu": 0}}, "a worker needs at least 1"),
    ("a limit of nothing", "cpu", {"limits": {"memory": "0"}}, "takes as no limit"),
    ("a request of nothing", "cpu", {"requests": {"memory": "0"}}, None),
    ("disk, on every node", "cpu", {"requests": {"ephemeral-storage": "1Gi"}}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pool", "resources", "sentence"), [r[1:] for r in RESOURCES], ids=[r[0] for r in RESOURCES]
)
def test_resources_are_those_of_the_pool_within_the_limits(pool, resources, sentence):
    found = problems(pool, resources=resources)
    assert len(found) == (sentence is not None)
    assert (sentence or "") in "".join(found)


def test_a_resource_over_both_limits_is_a_problem_of_each():
    assert len(problems("small", resources={"limits": {"memory": "33Gi"}})) == 2
