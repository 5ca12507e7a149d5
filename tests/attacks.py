"""Attacks by a user who may only create TranscriptionJobs, by field, and what refuses each.

Data for a unit test and for a test with an API server: apply each spec to an installation with
VALUES, and look for the sentence.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

VALUES: Json = {
    "defaultNodePool": "cpu",
    "nodePools": {
        "cpu": {"resources": {"limits": {"memory": "8Gi"}}},
        "gpu": {"nodeSelector": {"gpu": "a100"}, "gpu": {"resource": "nvidia.com/gpu"}},
        "sandbox": {"runtimeClassName": "gvisor"},
        "research": {"namespaces": ["research-*"]},
    },
    "limits": {"maxWorkers": 10, "maxResources": {"memory": "32Gi", "nvidia.com/gpu": "2"}},
    "serviceAccounts": ["transcriber"],
    "podTemplate": {
        "allowedLabels": ["cost-center"],
        "allowedTolerations": [
            {"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
        ],
    },
    "objectStore": {
        "allowPodIdentity": True,
        "allowedEndpoints": ["https://s3.*.amazonaws.com"],
    },
}
"""Of the chart: an installation that allows a little, so that what is almost that is tried too."""

SETTINGS: Json = {
    "default_node_pool": VALUES["defaultNodePool"],
    "node_pools": VALUES["nodePools"],
    "limits": VALUES["limits"],
    "service_accounts": VALUES["serviceAccounts"],
    "pod_template": VALUES["podTemplate"],
    "object_store": VALUES["objectStore"],
}
"""The same as the operator's settings."""


class By(StrEnum):
    """What refuses an attack."""

    API_SERVER = "the API server, when it is applied"
    OPERATOR = "the operator: Failed, ConfigurationInvalid"
    WORKER = "the worker, before it connects"
    PRUNED = "the API server, which drops the field"


@dataclass(frozen=True)
class Attack:
    """``sentence``: part of the message, or ""."""

    name: str
    by: By
    sentence: str
    spec: Json = field(default_factory=dict)


def _pod(name: str, by: By, sentence: str, **template: Any) -> Attack:
    return Attack(name, by, sentence, {"podTemplate": template})


def _variable(variable: str, value: str, by: By = By.OPERATOR, sentence: str = "") -> Attack:
    said = sentence or f"podTemplate.env: {variable!r} is not allowed"
    return _pod(f"{variable}={value[:20]}", by, said, env=[{"name": variable, "value": value}])


def _key(field: str, key: str, value: str, by: By = By.OPERATOR, sentence: str = "") -> Attack:
    said = sentence or f"podTemplate.{field}: {key!r} is not allowed"
    return _pod(f"{field}: {key}", by, said, **{field: {key: value}})


def _toleration(name: str, **toleration: str) -> Attack:
    return _pod(name, By.OPERATOR, "podTemplate.tolerations: '{", tolerations=[toleration])


def _amounts(name: str, sentence: str, pool: str, resources: Json) -> Attack:
    return Attack(name, By.OPERATOR, sentence, {"nodePool": pool, "resources": resources})


def _endpoint(endpoint: str, by: By = By.OPERATOR, sentence: str = "") -> Attack:
    said = sentence or f"objectStore.endpoint: {endpoint!r} is not allowed"
    return Attack(f"endpoint {endpoint}", by, said, {"objectStore": {"endpoint": endpoint}})


def _source(uri: str, by: By = By.API_SERVER, sentence: str = "") -> Attack:
    said = sentence or "source.uri must be an object such as"
    return Attack(f"source {uri}", by, said, {"source": {"uri": uri}})


_OF_OPERATOR = "podTemplate.env may not set variables that the operator sets"
_TAKEN_LABEL = "podTemplate.labels may not set names that the operator"
_TAKEN_ANNOTATION = "podTemplate.annotations may not set names that the operator"
_GPU = {"nvidia.com/gpu": 0}
_CONFIG = "x\n\nopenssl_conf = a\n[a]\nproviders = b\n[b]\ne = c\n[c]\nmodule = /models/x.pt\n"

ENVIRONMENT = (
    _variable("OPENSSL_CONF", "/proc/self/environ"),
    _variable("OPENSSL_MODULES", "/models"),
    _variable("CUDA_INJECTION64_PATH", "/models/x.pt"),
    _variable(
        "NVIDIA_VISIBLE_DEVICES", "all", sentence="NVIDIA_VISIBLE_DEVICES is not allowed; the node"
    ),
    _variable("NVIDIA_DRIVER_CAPABILITIES", "all"),
    _variable("OMP_TOOL_LIBRARIES", "/models/x.pt"),
    _variable("GCONV_PATH", "/models"),
    _variable("GLIBC_TUNABLES", "glibc.malloc.check=3"),
    _variable("SSL_CERT_FILE", "/models/x.pt"),
    _variable("NUMBA_CACHE_DIR", "/models"),
    _variable("TZDIR", "/models"),
    _variable("TZ", _CONFIG, sentence="the value of TZ has a control character"),
    _variable("LD_PRELOAD", "/models/x.pt", By.API_SERVER, _OF_OPERATOR),
    _variable("PYTHONPATH", "/models", By.API_SERVER, _OF_OPERATOR),
    _variable("AWS_ENDPOINT_URL", "http://10.0.0.7", By.API_SERVER, _OF_OPERATOR),
    _variable("TASK", "{}", By.API_SERVER, _OF_OPERATOR),
)
METADATA = (
    _key("annotations", "sidecar.istio.io/proxyImage", "evil/proxy"),
    _key("annotations", "vault.hashicorp.com/agent-image", "evil/agent"),
    _key("annotations", "k8s.v1.cni.cncf.io/networks", "kube-system/other"),
    _key("annotations", "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes", "work"),
    _key(
        "annotations",
        "container.apparmor.security.beta.kubernetes.io/transcriber",
        "unconfined",
        By.API_SERVER,
        _TAKEN_ANNOTATION,
    ),
    _key("annotations", "iam.amazonaws.com/role", "admin", By.API_SERVER, _TAKEN_ANNOTATION),
    _key("labels", "app", "payments"),
    _key("labels", "cost-center-of", "others"),
    _key("labels", "azure.workload.identity/use", "true"),
    _key("labels", "kueue.x-k8s.io/queue-name", "theirs", By.API_SERVER, _TAKEN_LABEL),
    _key("labels", "app.kubernetes.io/managed-by", "me", By.API_SERVER, _TAKEN_LABEL),
    _key("labels", "transcription.dev/job-uid", "another", By.API_SERVER, _TAKEN_LABEL),
)
SCHEDULING = (
    _pod("preemption", By.OPERATOR, "podTemplate.priorityClassName: 'business-critical'",
         priorityClassName="business-critical"),
    _pod("preemption of the cluster", By.API_SERVER,
         "podTemplate.priorityClassName may not begin with system-",
         priorityClassName="system-node-critical"),
    Attack("out of the sandbox", By.OPERATOR, "podTemplate.runtimeClassName: 'runc'",
           {"nodePool": "sandbox", "podTemplate": {"runtimeClassName": "runc"}}),
    _pod("another runtime", By.OPERATOR, "podTemplate.runtimeClassName: 'kata'",
         runtimeClassName="kata"),
    _pod("another scheduler", By.OPERATOR, "podTemplate.schedulerName: 'mine'",
         schedulerName="mine"),
    _toleration("every taint", operator="Exists"),
    _toleration("the control plane", key="node-role.kubernetes.io/control-plane",
                operator="Exists"),
    _toleration("every value", key="spot", operator="Exists", effect="NoSchedule"),
    _toleration("every effect", key="spot", operator="Equal", value="true"),
    _toleration("another effect", key="spot", value="true", effect="NoExecute"),
    Attack("other nodes than the pool's", By.OPERATOR, "gpu=h100 leaves the node pool",
           {"nodePool": "gpu", "podTemplate": {"nodeSelector": {"gpu": "h100"}}}),
    Attack("another team's pool", By.OPERATOR,
           "jobs of the namespace 'media' may not use the node pool 'research'",
           {"nodePool": "research"}),
    Attack("a pool that does not exist", By.OPERATOR, "there is no node pool 'h100'",
           {"nodePool": "h100"}),
)  # fmt: skip
IDENTITIES = (
    _pod("another service account", By.OPERATOR, "podTemplate.serviceAccountName: 'admin'",
         serviceAccountName="admin"),
    _pod("another registry", By.OPERATOR, "podTemplate.imagePullSecrets: 'theirs'",
         imagePullSecrets=["theirs"]),
    Attack("a Secret beside the pod's identity", By.API_SERVER,
           "objectStore takes either secretName or endpoint",
           {"objectStore": {"endpoint": "https://s3.eu-central-1.amazonaws.com",
                            "secretName": "theirs"}}),
)  # fmt: skip
RESOURCES = (
    _amounts("no GPU", "resources.limits.nvidia.com/gpu is '0'", "gpu", {"limits": _GPU}),
    _amounts("no GPU, as a decimal", "resources.limits.nvidia.com/gpu is '0.0'", "gpu",
             {"limits": {"nvidia.com/gpu": "0.0"}}),
    _amounts("no GPU requested", "resources.requests.nvidia.com/gpu is '0'", "gpu",
             {"requests": _GPU}),
    _amounts("every GPU", "resources.limits.nvidia.com/gpu is 8, but", "gpu",
             {"limits": {"nvidia.com/gpu": 8}}),
    _amounts("another device", "resources.limits.nvidia.com/mig-1g.5gb: workers of the node pool",
             "cpu", {"limits": {"nvidia.com/mig-1g.5gb": 1}}),
    _amounts("huge pages", "resources.limits.hugepages-2Mi: workers of the node pool", "cpu",
             {"limits": {"hugepages-2Mi": "1Gi"}}),
    _amounts("no limit of memory", "resources.limits.memory is '0'", "cpu",
             {"limits": {"memory": "0"}}),
    _amounts("too much memory", "resources.requests.memory is 33Gi, but", "cpu",
             {"requests": {"memory": "33Gi"}}),
    _amounts("too much memory, in other units", "resources.limits.memory is 40000M, but", "cpu",
             {"limits": {"memory": "40000M"}}),
    _amounts("less than nothing", "resources.requests.cpu is '-4'", "cpu",
             {"requests": {"cpu": -4}}),
    _amounts("a unit that does not exist", "'4ki' is not a Kubernetes quantity", "cpu",
             {"requests": {"memory": "4ki"}}),
    Attack("too many workers", By.OPERATOR, "workers is 11, but", {"workers": 11}),
    Attack("far too many workers", By.API_SERVER, "1000", {"workers": 1001}),
    Attack("no amount", By.API_SERVER, "resources.limits.memory",
           {"resources": {"limits": {"memory": "much"}}}),
)  # fmt: skip
ADDRESSES = (
    _endpoint("http://10.0.0.7:9200"),
    _endpoint("http://169.254.169.254"),
    _endpoint("https://s3.eu-central-1.amazonaws.com.evil.example"),
    _endpoint("https://evil.example.amazonaws.com"),
    _endpoint("https://s3.eu.evil.amazonaws.com"),
    _endpoint("https://s3.eu-central-1.amazonaws.com:9200"),
    _endpoint("http://s3.eu-central-1.amazonaws.com"),
    _endpoint("https://s3.eu-central-1.amazonaws.com@10.0.0.7", By.API_SERVER,
              "objectStore.endpoint"),
    _source("file:///etc/passwd"),
    _source("http://169.254.169.254/latest/meta-data/"),
    _source("https://me:secret@media.example/a.mp3"),
    _source("https://10.0.0.7/a.mp3", By.WORKER, "10.0.0.7"),
    _source("https://kubernetes.default.svc/a.mp3", By.WORKER, "kubernetes.default.svc"),
    Attack("output elsewhere", By.API_SERVER, "output.uri must be a prefix",
           {"output": {"uri": "https://evil.example/"}}),
    Attack("a model of the web", By.API_SERVER, "model.uri",
           {"model": {"uri": "https://evil.example/a.pt", "sha256": "a" * 64}}),
    Attack("a model that may change", By.API_SERVER, "model.uri requires model.sha256",
           {"model": {"uri": "s3://models/a.pt"}}),
)  # fmt: skip
NO_FIELDS = tuple(
    Attack(f"podTemplate.{name}", By.PRUNED, "", {"podTemplate": {name: value}})
    for name, value in (
        ("hostNetwork", True),
        ("hostPID", True),
        ("automountServiceAccountToken", True),
        ("securityContext", {"runAsUser": 0}),
        ("volumes", [{"name": "root", "hostPath": {"path": "/"}}]),
        ("initContainers", [{"name": "a", "image": "evil/a"}]),
        ("image", "evil/a"),
        ("command", ["sh"]),
        ("nodeName", "control-plane"),
    )
)
ATTACKS = (
    *ENVIRONMENT,
    *METADATA,
    *SCHEDULING,
    *IDENTITIES,
    *RESOURCES,
    *ADDRESSES,
    *NO_FIELDS,
)
