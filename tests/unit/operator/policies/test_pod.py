from typing import Any

import pytest

from tests.unit.operator.builders import UID, owner, settings
from transcription_contract.task import (
    MODEL_DIRECTORY,
    OPTIONAL_STORE_KEYS,
    STORE_DIRECTORY,
    STORE_VARIABLES,
    Task,
)
from transcription_operator.allow_lists import (
    AllowedToleration,
    ObjectStoreRules,
    PodTemplateRules,
)
from transcription_operator.policies.job import desired_job
from transcription_operator.policies.pod import limits_of
from transcription_operator.settings import Gpu, JobLimits, ModelCache, Models, NodePool

IDENTITY = {"endpoint": "https://s3.eu-central-1.amazonaws.com", "region": "eu-central-1"}
EVERYTHING = {
    "labels": {"team": "media"},
    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    "serviceAccountName": "transcriber",
    "nodeSelector": {"zone": "a"},
    "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}
                ]
            }
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 50,
                    "podAffinityTerm": {
                        "labelSelector": {"matchLabels": {"team": "media"}},
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        },
    },
    "priorityClassName": "batch",
    "imagePullSecrets": ["mine"],
    "env": [{"name": "OMP_NUM_THREADS", "value": "4"}],
    "runtimeClassName": "nvidia",
    "schedulerName": "volcano",
}


OPEN: dict[str, Any] = {
    "service_accounts": ("transcriber",),
    "pod_template": PodTemplateRules(
        allowed_labels=("*",),
        allowed_priority_classes=("batch",),
        allowed_runtime_classes=("nvidia",),
        allowed_schedulers=("volcano",),
        allowed_tolerations=(AllowedToleration(key="spot", operator="Exists"),),
        allowed_image_pull_secrets=("mine",),
    ),
    "object_store": ObjectStoreRules(
        allow_pod_identity=True, allowed_endpoints=(IDENTITY["endpoint"],)
    ),
}
"""Settings that allow what these jobs ask for."""


def template(changes: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    changed = settings(**OPEN | (changes or {}))
    return desired_job(owner(**spec), changed)["spec"]["template"]


def pod(changes: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return template(changes, **spec)["spec"]


def container(pod_spec: dict[str, Any]) -> dict[str, Any]:
    return pod_spec["containers"][0]


def variable(pod_spec: dict[str, Any], name: str) -> dict[str, Any]:
    return next(v for v in container(pod_spec)["env"] if v["name"] == name)


def volume(pod_spec: dict[str, Any], name: str) -> dict[str, Any]:
    return next(v for v in pod_spec["volumes"] if v["name"] == name)


def test_the_task_comes_first_and_holds_no_dollar_sign_for_the_kubelet_to_expand():
    prompt = "$(AWS_SECRET_ACCESS_KEY)"
    first = container(pod(decoding={"initialPrompt": prompt}))["env"][0]
    assert first["name"] == "TASK"
    assert "$" not in first["value"]
    assert Task.model_validate_json(first["value"]).decoding.initial_prompt == prompt


def test_credentials_are_references_and_what_a_secret_may_lack_is_optional():
    spec = pod(objectStore={"secretName": "mine"})
    for key, name in STORE_VARIABLES.items():
        reference = variable(spec, name)["valueFrom"]["secretKeyRef"]
        assert reference["name"] == "mine"
        assert reference.get("optional", False) is (key in OPTIONAL_STORE_KEYS)
    assert volume(spec, "ca")["secret"]["secretName"] == "mine"


def test_the_secrets_keys_are_mounted_too_so_that_a_running_worker_sees_them_change():
    spec = pod(objectStore={"secretName": "mine"})
    mounted = volume(spec, "object-store")["secret"]
    assert mounted["secretName"] == "mine"
    assert [item["path"] for item in mounted["items"]] == ["accessKey", "secretKey", "sessionToken"]
    # A missing Secret is the environment's to tell: CreateContainerConfigError, not FailedMount.
    assert mounted["optional"] is True
    mount = next(m for m in container(spec)["volumeMounts"] if m["name"] == "object-store")
    # A subPath would never be updated.
    assert mount == {"name": "object-store", "mountPath": STORE_DIRECTORY, "readOnly": True}


def test_with_the_pods_own_identity_there_is_no_secret_at_all():
    spec = pod(objectStore=IDENTITY)
    names = [v["name"] for v in container(spec)["env"]]
    assert names == ["TASK", "AWS_ENDPOINT_URL", "AWS_REGION"]
    assert variable(spec, "AWS_ENDPOINT_URL")["value"] == IDENTITY["endpoint"]
    assert variable(spec, "AWS_REGION")["value"] == IDENTITY["region"]
    assert Task.model_validate_json(variable(spec, "TASK")["value"]).secret_name is None
    assert "ecret" not in str(spec)


@pytest.mark.parametrize(
    ("store", "secret"),
    [
        ({}, "transcription-object-store"),
        ({"objectStore": {}}, "transcription-object-store"),
        ({"objectStore": {"secretName": "mine"}}, "mine"),
    ],
    ids=["nothing said", "an empty objectStore", "named"],
)
def test_without_an_endpoint_there_is_a_secret(store, secret):
    reference = variable(pod(**store), "AWS_ENDPOINT_URL")["valueFrom"]["secretKeyRef"]
    assert reference["name"] == secret


@pytest.mark.parametrize("added", [None, EVERYTHING], ids=["plain", "with a podTemplate"])
def test_workers_get_no_kubernetes_credentials_and_pass_the_restricted_standard(added):
    spec = pod(podTemplate=added)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert len(spec["containers"]) == 1
    assert not {"initContainers", "ephemeralContainers"} & spec.keys()
    assert {kind for v in spec["volumes"] for kind in v if kind != "name"} == {"emptyDir", "secret"}
    assert container(spec)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_what_a_pod_can_reach_is_no_part_of_a_pod_template():
    reach = {"hostNetwork": True, "volumes": [{"name": "a"}], "securityContext": {"runAsUser": 0}}
    assert template(podTemplate=reach) == template()


def test_a_pod_template_is_added_to_what_the_pool_and_the_settings_say():
    made = template({"image_pull_secrets": ("theirs", "mine")}, podTemplate=EVERYTHING)
    spec = made["spec"]
    assert made["metadata"]["labels"]["team"] == "media"
    assert EVERYTHING["annotations"].items() < made["metadata"]["annotations"].items()
    assert spec["serviceAccountName"] == "transcriber"
    assert spec["nodeSelector"] == {"gpu": "a100", "zone": "a"}
    assert spec["tolerations"][:2] == [
        {"key": "nvidia.com/gpu", "operator": "Exists"},
        *EVERYTHING["tolerations"],
    ]
    assert spec["affinity"] == EVERYTHING["affinity"]
    assert spec["priorityClassName"] == "batch"
    assert spec["runtimeClassName"] == "nvidia"
    assert spec["schedulerName"] == "volcano"
    assert spec["imagePullSecrets"] == [{"name": "theirs"}, {"name": "mine"}]
    assert container(spec)["env"][-1] == {"name": "OMP_NUM_THREADS", "value": "4"}


def test_a_users_variable_cannot_spell_the_stores_keys():
    env = [{"name": "HTTPS_PROXY", "value": "https://$(AWS_SECRET_ACCESS_KEY).example.com/$"}]
    value = variable(pod(podTemplate={"env": env}), "HTTPS_PROXY")["value"]
    # The kubelet takes two dollar signs for one that expands nothing.
    assert value == "https://$$(AWS_SECRET_ACCESS_KEY).example.com/$$"


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


def test_workers_of_one_job_spread_as_their_pool_says_and_stop_in_its_time():
    spread = {"topology_key": "topology.kubernetes.io/zone", "when_unsatisfiable": "DoNotSchedule"}
    pool = NodePool(topology_spread_constraints=(spread,), termination_grace_period_seconds=100)
    spec = pod({"node_pools": {"a100": pool}})
    assert spec["terminationGracePeriodSeconds"] == 100
    assert spec["topologySpreadConstraints"] == [
        {
            "topologyKey": "topology.kubernetes.io/zone",
            "maxSkew": 1,
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"transcription.dev/job-uid": UID}},
        }
    ]


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


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (None, {"emptyDir": {"sizeLimit": str(8 * 2**30)}}),
        (
            ModelCache(persistent_volume_claim="models"),
            {"persistentVolumeClaim": {"claimName": "models"}},
        ),
        (
            ModelCache(host_path="/var/cache/models"),
            {"hostPath": {"path": "/var/cache/models", "type": "DirectoryOrCreate"}},
        ),
    ],
    ids=["none", "a claim", "a directory of the node"],
)
def test_models_lie_in_the_cache_where_there_is_one(cache, expected):
    spec = pod({"models": Models(cache=cache)})
    assert volume(spec, "models") == {"name": "models", **expected}
    mounts = {m["name"]: m["mountPath"] for m in container(spec)["volumeMounts"]}
    assert mounts["models"] == MODEL_DIRECTORY


def test_a_lost_node_is_left_after_half_a_minute():
    tolerations = pod()["tolerations"]
    assert {t["key"]: t["tolerationSeconds"] for t in tolerations if "tolerationSeconds" in t} == {
        "node.kubernetes.io/not-ready": 30,
        "node.kubernetes.io/unreachable": 30,
    }
