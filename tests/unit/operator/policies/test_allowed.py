from typing import Any

import pytest

from tests.unit.operator.builders import owner, settings
from transcription_operator.allow_lists import (
    AllowedToleration,
    ObjectStoreRules,
    PodTemplateRules,
    PoolRules,
)
from transcription_operator.errors import SpecError
from transcription_operator.policies.allowed import check
from transcription_operator.settings import NodePool

IDENTITY = {"endpoint": "https://s3.eu-central-1.amazonaws.com"}


def problems(changes: dict[str, Any] | None = None, **spec: Any) -> str:
    """What is refused of a job in the pool cpu, or ""."""
    try:
        check(owner(**spec), "cpu", settings(**changes or {}))
    except SpecError as error:
        return str(error)
    return ""


def of_pod(changes: dict[str, Any] | None = None, **template: Any) -> str:
    return problems(changes, podTemplate=template)


def rules(**stated: Any) -> dict[str, Any]:
    return {"pod_template": PodTemplateRules(**stated)}


def cpu(**stated: Any) -> dict[str, Any]:
    """Settings with such a pool cpu."""
    return {"node_pools": settings().node_pools | {"cpu": NodePool(**stated)}}


def test_a_sentence_names_the_field_the_value_what_is_allowed_and_who_can_allow_it():
    env = [{"name": "OPENSSL_CONF", "value": "/proc/self/environ"}]
    assert of_pod(rules(allowed_env=("TZ", "OMP_NUM_THREADS")), env=env) == (
        "podTemplate.env: 'OPENSSL_CONF' is not allowed by the operator's settings; allowed: "
        "OMP_NUM_THREADS, TZ. Ask the operator's administrator to add it to "
        "podTemplate.allowedEnv."
    )


def test_the_message_has_the_first_problems():
    labels = {f"label-{number}": "x" for number in range(9)}
    found = of_pod(labels=labels, priorityClassName="batch")
    assert found.count("is not allowed") == 5


DEFAULTS: list[tuple[str, dict[str, Any]]] = [
    ("threads", {"env": [{"name": "OMP_NUM_THREADS", "value": "4"}]}),
    ("a proxy", {"env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}]}),
    ("a proxy's exceptions", {"env": [{"name": "no_proxy", "value": ".svc"}]}),
    ("a time zone", {"env": [{"name": "TZ", "value": "Europe/Zurich"}]}),
    ("what keeps an autoscaler away",
     {"annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                      "karpenter.sh/do-not-disrupt": "true"}}),
    ("Kubernetes' scheduler", {"schedulerName": "default-scheduler"}),
    ("an affinity", {"affinity": {"nodeAffinity": {}}}),
    ("a smaller part of the nodes", {"nodeSelector": {"zone": "a"}}),
]  # fmt: skip


@pytest.mark.parametrize("template", [d[1] for d in DEFAULTS], ids=[d[0] for d in DEFAULTS])
def test_by_default_a_pod_template_may_have(template: dict[str, Any]):
    assert of_pod(**template) == ""


LISTED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("env", {"allowed_env": ("NCCL_*",)}, {"env": [{"name": "NCCL_DEBUG"}]},
     {"env": [{"name": "NCC"}]}),
    ("labels", {"allowed_labels": ("team", "example.com/*")},
     {"labels": {"team": "a", "example.com/cost": "b"}}, {"labels": {"teams": "a"}}),
    ("annotations", {"allowed_annotations": ("example.com/*",)},
     {"annotations": {"example.com/note": "a\nb"}}, {"annotations": {"example.org/note": "a"}}),
    ("priorityClassName", {"allowed_priority_classes": ("batch-*",)},
     {"priorityClassName": "batch-low"}, {"priorityClassName": "batch"}),
    ("runtimeClassName", {"allowed_runtime_classes": ("nvidia",)},
     {"runtimeClassName": "nvidia"}, {"runtimeClassName": "nvidia-legacy"}),
    ("schedulerName", {"allowed_schedulers": ("volcano",)},
     {"schedulerName": "volcano"}, {"schedulerName": "default-scheduler"}),
    ("imagePullSecrets", {"allowed_image_pull_secrets": ("registry",)},
     {"imagePullSecrets": ["registry"]}, {"imagePullSecrets": ["registry", "other"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "stated", "allowed", "refused"), LISTED, ids=[each[0] for each in LISTED]
)
def test_a_list_allows_its_names_and_prefixes_and_nothing_else(field, stated, allowed, refused):
    assert of_pod(rules(**stated), **allowed) == ""
    assert of_pod(rules(**stated), **refused).startswith(f"podTemplate.{field}: ")


def test_a_list_that_allows_everything_allows_no_name_of_the_operator_and_no_unallocated_gpu():
    open_to_all = rules(allowed_labels=("*",), allowed_env=("*",))
    assert "podTemplate.labels: 'batch.kubernetes.io/job-name'" in of_pod(
        open_to_all, labels={"batch.kubernetes.io/job-name": "x"}
    )
    assert "NVIDIA_VISIBLE_DEVICES is not allowed" in of_pod(
        open_to_all, env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]
    )


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x7f"])
def test_a_variable_has_no_control_characters(character: str):
    env = [{"name": "TZ", "value": f"UTC{character}"}]
    assert "the value of TZ has a control character" in of_pod(env=env)


@pytest.mark.parametrize(
    ("accounts", "allowed"), [((), "none"), (("b", "a"), "a, b")], ids=["none", "others"]
)
def test_a_service_account_that_the_settings_do_not_name_is_refused(accounts, allowed):
    found = of_pod({"service_accounts": accounts}, serviceAccountName="admin")
    assert found.startswith("podTemplate.serviceAccountName: 'admin' is not allowed")
    assert f"; allowed: {allowed}. " in found


def test_a_secret_of_the_settings_may_be_named_again():
    assert of_pod({"image_pull_secrets": ("registry",)}, imagePullSecrets=["registry"]) == ""


RUNTIMES: list[tuple[str, dict[str, Any], str, bool]] = [
    ("the pool's", {"runtime_class_name": "gvisor"}, "gvisor", True),
    ("of the list for all pools", {}, "nvidia", True),
    ("of the list for all pools, in a pool with its own", {"runtime_class_name": "gvisor"},
     "nvidia", False),
    ("of the pool's list",
     {"runtime_class_name": "gvisor", "allow": PoolRules(runtime_classes=("kata",))}, "kata", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pool", "name", "allowed"), [r[1:] for r in RUNTIMES], ids=[r[0] for r in RUNTIMES]
)
def test_a_pools_runtime_class_is_left_only_for_one_that_the_pool_allows(pool, name, allowed):
    changes = rules(allowed_runtime_classes=("nvidia",)) | cpu(**pool)
    assert (of_pod(changes, runtimeClassName=name) == "") is allowed


def test_a_pool_may_allow_more_than_the_settings():
    allow = PoolRules(
        priority_classes=("batch",),
        schedulers=("volcano",),
        tolerations=(AllowedToleration(key="spot", operator="Exists"),),
    )
    template = {
        "priorityClassName": "batch",
        "schedulerName": "volcano",
        "tolerations": [{"key": "spot", "operator": "Exists"}],
    }
    assert of_pod(cpu(allow=allow), **template) == ""
    assert of_pod(**template).count("nodePools.cpu.allow.") == 3


TOLERATIONS: list[tuple[str, dict[str, str], dict[str, Any], bool]] = [
    ("the same", {"key": "spot", "value": "a"}, {"key": "spot", "value": "a"}, True),
    ("for a time", {"key": "spot", "operator": "Exists"},
     {"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}, True),
    ("one value of all", {"key": "spot", "operator": "Exists"}, {"key": "spot", "value": "a"},
     True),
    ("all values of one", {"key": "spot", "value": "a"}, {"key": "spot", "operator": "Exists"},
     False),
    ("another value", {"key": "spot", "value": "a"}, {"key": "spot", "value": "b"}, False),
    ("one effect of all", {"key": "spot", "operator": "Exists"},
     {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}, True),
    ("all effects of one", {"key": "spot", "operator": "Exists", "effect": "NoSchedule"},
     {"key": "spot", "operator": "Exists"}, False),
    ("another key", {"key": "spot", "operator": "Exists"}, {"key": "spots", "operator": "Exists"},
     False),
    ("every key", {"key": "spot", "operator": "Exists"}, {"operator": "Exists"}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "wanted", "allowed"), [t[1:] for t in TOLERATIONS], ids=[t[0] for t in TOLERATIONS]
)
def test_a_toleration_is_allowed_that_opens_no_more_than_one_of_the_list(listed, wanted, allowed):
    changes = rules(allowed_tolerations=(AllowedToleration(**listed),))
    assert (of_pod(changes, tolerations=[wanted]) == "") is allowed


def test_a_toleration_of_the_pool_may_be_stated_again():
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert of_pod(cpu(tolerations=(toleration,)), tolerations=[toleration]) == ""


def test_a_node_selector_cannot_leave_the_pool():
    found = of_pod(cpu(node_selector={"gpu": "a100"}), nodeSelector={"gpu": "h100"})
    assert "gpu=h100 leaves the node pool, whose nodes have gpu=a100" in found


@pytest.mark.parametrize(
    ("namespaces", "allowed"),
    [(("*",), True), (("media",), True), (("med*",), True), (("research-*",), False), ((), False)],
)
def test_a_pool_may_be_for_some_namespaces(namespaces, allowed):
    assert (problems(cpu(namespaces=namespaces)) == "") is allowed


def test_the_identity_of_the_pods_is_off_by_default():
    found = problems(objectStore=IDENTITY)
    assert "objectStore.endpoint: the operator's settings do not allow the identity" in found
    assert "objectStore.allowPodIdentity" in found
    assert problems(objectStore={"secretName": "mine"}) == ""


ENDPOINTS: list[tuple[str, str, bool]] = [
    ("https://s3.example", "https://s3.example", True),
    ("https://s3.example/", "https://S3.example", True),
    ("https://s3.example", "https://s3.example/", True),
    ("https://s3.example", "http://s3.example", False),
    ("http://minio.store.svc:9000", "http://minio.store.svc:9000", True),
    ("http://minio.store.svc:9000", "http://minio.store.svc:9200", False),
    ("https://s3.*.amazonaws.com", "https://s3.eu-central-1.amazonaws.com", True),
    ("https://s3.*.amazonaws.com", "https://s3.a.b.amazonaws.com", False),
    ("https://s3.*.amazonaws.com", "https://s3.amazonaws.com", False),
    ("https://s3.example", "https://s3xexample", False),
    ("https://s3.example", "https://s3.example.evil", False),
    ("https://*", "https://s3.example", False),
    ("https://[fd00::1]:9000", "https://[fd00::1]:9000", True),
]


@pytest.mark.parametrize(("listed", "endpoint", "allowed"), ENDPOINTS)
def test_an_endpoint_is_one_of_the_list(listed, endpoint, allowed):
    store = ObjectStoreRules(allow_pod_identity=True, allowed_endpoints=(listed,))
    found = problems({"object_store": store}, objectStore={"endpoint": endpoint})
    assert (found == "") is allowed
