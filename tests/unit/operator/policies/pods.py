from typing import Any

from tests.unit.operator.builders import owner, settings
from transcription_operator.allow_lists import (
    AllowedToleration,
    ObjectStoreRules,
    PodTemplateRules,
)
from transcription_operator.policies.job import desired_job

IDENTITY = {"endpoint": "https://s3.eu-central-1.amazonaws.com", "region": "eu-central-1"}
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
