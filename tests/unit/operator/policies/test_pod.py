import pytest

from tests.unit.operator.builders import UID
from tests.unit.operator.policies.pods import IDENTITY, container, pod, template, variable, volume
from transcription_contract.task import (
    MODEL_DIRECTORY,
    OPTIONAL_STORE_KEYS,
    STORE_DIRECTORY,
    STORE_VARIABLES,
    Task,
)
from transcription_operator.settings import ModelCache, Models, NodePool

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
