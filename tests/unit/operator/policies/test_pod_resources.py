from typing import Any

import pytest

from tests.unit.operator.builders import owner, settings
from tests.unit.operator.policies.pods import container, pod, volume
from transcription_operator.policies.pod_resources import limits_of
from transcription_operator.settings import Gpu, JobLimits, ModelCache, Models, NodePool


def test_the_default_pool_gives_selector_tolerations_and_gpus():
    spec = pod()
    assert spec["nodeSelector"] == {"gpu": "a100"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists"} in spec["tolerations"]
    assert container(spec)["resources"]["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "1"}


MIG = NodePool(gpu=Gpu(resource="nvidia.com/mig-3g.20gb"))
RESOURCES: list[tuple[str, str, dict[str, Any] | None, dict[str, Any]]] = [
    ("the pool's", "a100", None,
     {"requests": {"cpu": "2"}, "limits": {"memory": "16Gi", "nvidia.com/gpu": "1"}}),
    ("more of one", "a100", {"limits": {"nvidia.com/gpu": 2}},
     {"requests": {"cpu": "2"}, "limits": {"memory": "16Gi", "nvidia.com/gpu": "2"}}),
    ("another one besides", "a100", {"requests": {"memory": "8Gi"}},
     {"requests": {"cpu": "2", "memory": "8Gi"},
      "limits": {"memory": "16Gi", "nvidia.com/gpu": "1"}}),
    ("where the pool has none", "cpu", {"requests": {"cpu": 4}}, {"requests": {"cpu": "4"}}),
    ("none at all", "cpu", None, {}),
    ("a slice of a GPU", "mig", None, {"limits": {"nvidia.com/mig-3g.20gb": "1"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pool", "stated", "expected"), [r[1:] for r in RESOURCES], ids=[r[0] for r in RESOURCES]
)
def test_what_a_job_states_goes_before_what_its_pool_says(pool, stated, expected):
    pools = {"node_pools": settings().node_pools | {"mig": MIG}}
    assert container(pod(pools, nodePool=pool, resources=stated))["resources"] == expected


POOL_WITH_DISK = NodePool(resources={"requests": {"ephemeral-storage": "4Gi"}})


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, (8 + 1 + 1 + 1 + 1) * 2**30 + 3600 * 32_000),
        ({"limits": {"ephemeral-storage": "5Gi"}}, "5Gi"),
        ({"requests": {"ephemeral-storage": "1Ti"}}, 2**40),
    ],
    ids=["model, recording, work, tmp and logs", "stated", "no less than the request"],
)
def test_a_pool_that_requests_disk_gets_the_limit_that_its_volumes_need(stated, expected):
    # Otherwise a LimitRange's default, such as GKE Autopilot's 1 GiB, would evict the pod.
    pools = {"node_pools": settings().node_pools | {"disk": POOL_WITH_DISK}}
    limits = {"maxFileBytes": "1Gi", "maxFileSeconds": 3600}
    resources = container(pod(pools, nodePool="disk", resources=stated, limits=limits))["resources"]
    assert resources["limits"]["ephemeral-storage"] == str(expected)


def test_a_claim_with_models_takes_nothing_of_the_nodes_disk():
    pools = {"node_pools": settings().node_pools | {"disk": POOL_WITH_DISK}}
    cache = {"models": Models(cache=ModelCache(persistent_volume_claim="models"))}
    with_claim, without = (
        int(
            container(pod(pools | more, nodePool="disk"))["resources"]["limits"][
                "ephemeral-storage"
            ]
        )
        for more in (cache, {})
    )
    assert without - with_claim == 8 * 2**30


@pytest.mark.parametrize(("pool", "hidden"), [("cpu", True), ("a100", False), ("mig", False)])
def test_a_pod_without_gpus_sees_none_whatever_its_image_and_node_say(pool, hidden):
    pools = {"node_pools": settings().node_pools | {"mig": MIG}}
    variables = container(pod(pools, nodePool=pool))["env"]
    hides = {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in variables
    assert hides is hidden


@pytest.mark.parametrize(
    ("source", "recordings"),
    [
        ("s3://recordings/standup.mp3", 1),
        ("https://media.example/talks/", 1),
        ("s3://recordings/calls/", 3),
    ],
    ids=["one", "an address is one", "a prefix: this one, the next one, another worker's"],
)
def test_scratch_space_is_bounded_by_what_the_limits_can_need(source, recordings):
    limits = {"maxFileBytes": "1Gi", "maxFileSeconds": 3600}
    spec = pod(source={"uri": source}, limits=limits)
    bound = int(volume(spec, "work")["emptyDir"]["sizeLimit"])
    assert bound == recordings * (2**30 + 3600 * 32_000) + 2**30


@pytest.mark.parametrize(
    ("stated", "allowed", "expected"),
    [
        ({}, {}, (4 << 30, 86400)),
        ({}, {"max_file_bytes": "2Gi"}, (2 << 30, 86400)),
        ({"maxFileSeconds": 60}, {"max_file_seconds": 3600}, (4 << 30, 60)),
        ({"maxFileBytes": "1Ti"}, {"max_file_bytes": "8Gi"}, (8 << 30, 86400)),
    ],
    ids=["the job's defaults", "the defaults are over it", "the job's are under it", "over it"],
)
def test_a_job_is_allowed_what_it_asks_for_up_to_the_settings_limits(stated, allowed, expected):
    limits = limits_of(owner(limits=stated), settings(limits=JobLimits(**allowed)))
    assert (limits.max_file_bytes, limits.max_file_seconds) == expected
