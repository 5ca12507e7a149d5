"""TranscriptionJob -> the pods of its Job. Pure.

Whatever spec.podTemplate says, they pass the restricted Pod Security Standard (but for a models'
cache of the settings that lies on the node), and what is ours wins over what is the user's.
"""

from typing import Any

from transcription_api import OWNER_UID_LABEL
from transcription_api.object_store import ObjectStore
from transcription_api.pod_template import PodTemplate
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.metric_names import METRICS_PORT
from transcription_contract.task import (
    CA_CERTIFICATE_PATH,
    MODEL_DIRECTORY,
    OPTIONAL_STORE_KEYS,
    STORE_DIRECTORY,
    STORE_VARIABLES,
    TASK_VARIABLE,
    WORK_DIRECTORY,
    Task,
)
from transcription_operator.policies import metadata, names
from transcription_operator.policies.pod_resources import resources_of, volumes_of
from transcription_operator.settings import NodePool, Settings

Manifest = dict[str, Any]

_USER = 65532

_LOST_NODE_SECONDS = 30
"""Kubernetes' default of 300 s is for servers that must not move lightly; a worker's parts are
safe, and a lost node should cost a minute."""


def pod_template(
    owner: TranscriptionJob, pool: NodePool, settings: Settings, task: Task
) -> Manifest:
    """The Job's spec.template, of a job that asks for no more than is allowed."""
    added = owner.spec.pod_template or PodTemplate()
    return {
        "metadata": {
            "labels": metadata.labels(owner, settings),
            "annotations": metadata.pod_annotations(owner, settings),
        },
        "spec": _pod_spec(owner, pool, settings, task, added),
    }


def _pod_spec(
    owner: TranscriptionJob, pool: NodePool, settings: Settings, task: Task, added: PodTemplate
) -> Manifest:
    pull_secrets = (*settings.image_pull_secrets, *added.image_pull_secrets)
    volumes = volumes_of(owner, settings)
    resources = resources_of(owner, pool, volumes)
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": added.service_account_name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": pool.termination_grace_period_seconds,
        "nodeSelector": pool.node_selector | added.node_selector,
        "tolerations": [
            *pool.tolerations,
            *(toleration.to_wire() for toleration in added.tolerations),
            *_lost_node_tolerations(),
        ],
        "topologySpreadConstraints": _spread(owner, pool),
        "affinity": added.affinity and added.affinity.to_wire(),
        "priorityClassName": added.priority_class_name,
        "runtimeClassName": added.runtime_class_name or pool.runtime_class_name,
        "schedulerName": added.scheduler_name,
        "imagePullSecrets": [{"name": name} for name in dict.fromkeys(pull_secrets)],
        "containers": [_container(owner, settings, task, added, resources)],
        "volumes": volumes,
    }
    return {key: value for key, value in spec.items() if value not in (None, [], {})}


def _spread(owner: TranscriptionJob, pool: NodePool) -> list[Manifest]:
    """The pool's constraints, for the workers of this job."""
    workers = {"matchLabels": {OWNER_UID_LABEL: owner.metadata.uid}}
    return [
        {**constraint.model_dump(by_alias=True), "labelSelector": workers}
        for constraint in pool.topology_spread_constraints
    ]


def _container(
    owner: TranscriptionJob,
    settings: Settings,
    task: Task,
    added: PodTemplate,
    resources: Manifest,
) -> Manifest:
    mounts: list[Manifest] = [
        {"name": "work", "mountPath": WORK_DIRECTORY},
        {"name": "models", "mountPath": MODEL_DIRECTORY},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    if owner.spec.object_store.secret:
        directory = CA_CERTIFICATE_PATH.rpartition("/")[0]
        mounts += [
            {"name": "ca", "mountPath": directory, "readOnly": True},
            {"name": "object-store", "mountPath": STORE_DIRECTORY, "readOnly": True},
        ]
    return {
        "name": names.CONTAINER,
        "image": settings.transcriber_image,
        "imagePullPolicy": settings.image_pull_policy,
        "env": _environment(owner.spec.object_store, task, added, resources),
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "resources": resources,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _environment(
    store: ObjectStore, task: Task, added: PodTemplate, resources: Manifest
) -> list[Manifest]:
    # The kubelet expands $(NAME) of variables defined before: TASK comes first, and what users
    # say comes with its dollar signs doubled, which stand for one.
    return [
        {"name": TASK_VARIABLE, "value": task.to_environment()},
        *_store_variables(store),
        *_no_devices(resources),
        *({"name": v.name, "value": v.value.replace("$", "$$")} for v in added.env),
    ]


def _store_variables(store: ObjectStore) -> list[Manifest]:
    if store.secret:
        return [_secret_variable(store.secret, key) for key in STORE_VARIABLES]
    stated = {"endpoint": store.endpoint, "region": store.region}
    return [
        {"name": STORE_VARIABLES[key], "value": value} for key, value in stated.items() if value
    ]


def _no_devices(resources: Manifest) -> list[Manifest]:
    """Hide a node's GPUs from a pod that has allocated none, whatever the image and the node's
    default runtime say: void makes NVIDIA's container runtime do nothing at all."""
    if any("/" in resource for resource in resources.get("limits", {})):
        return []
    return [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}]


def _secret_variable(secret: str, key: str) -> Manifest:
    reference: Manifest = {"name": secret, "key": key}
    if key in OPTIONAL_STORE_KEYS:
        # Without it a Secret that lacks the key keeps the pod in CreateContainerConfigError.
        reference["optional"] = True
    return {"name": STORE_VARIABLES[key], "valueFrom": {"secretKeyRef": reference}}


def _lost_node_tolerations() -> list[Manifest]:
    return [
        {
            "key": f"node.kubernetes.io/{condition}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": _LOST_NODE_SECONDS,
        }
        for condition in ("not-ready", "unreachable")
    ]
