"""TranscriptionJob -> the Kubernetes Job that does it. Pure."""

from typing import Any

from transcription_contract.exit_codes import FINAL_CODES
from transcription_contract.metric_names import METRICS_PORT
from transcription_contract.task import (
    CA_CERTIFICATE_PATH,
    MODEL_DIRECTORY,
    OPTIONAL_STORE_KEYS,
    STORE_VARIABLES,
    TASK_VARIABLE,
    WORK_DIRECTORY,
    Limits,
    Task,
)
from transcription_operator import names
from transcription_operator.api.transcriptionjob import TranscriptionJob
from transcription_operator.errors import SpecError
from transcription_operator.settings import NodePool, Settings

CONTAINER = "transcriber"
Manifest = dict[str, Any]

_USER = 65532
_PCM_BYTES_PER_SECOND = 16_000 * 2
_WORK_SLACK_BYTES = 1024**3
_MODEL_BYTES = 8 * 1024**3
"""Twice the largest official checkpoint (large, 2.9 GiB), rounded up."""
_LOST_NODE_SECONDS = 30
"""Kubernetes' default of 300 s is for servers that must not move lightly; a worker's parts are
safe, and a lost node should cost a minute."""


def desired_job(parent: TranscriptionJob, settings: Settings, attempt: int = 1) -> Manifest:
    """The Job manifest of one attempt.

    Raises:
        SpecError: the job names a node pool that the settings do not have.
    """
    pool = settings.pool(parent.spec.node_pool)
    if pool is None:
        known = ", ".join(sorted(settings.node_pools))
        raise SpecError(f"there is no node pool {parent.spec.node_pool!r}; the pools are: {known}")
    uid = parent.metadata.uid
    metadata = {
        "labels": names.labels(uid),
        "annotations": {names.OWNER_NAME_ANNOTATION: parent.metadata.name},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.child_name(parent.metadata.name, uid, attempt),
            "namespace": parent.metadata.namespace,
            **metadata,
            "ownerReferences": [parent.owner_reference()],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": parent.spec.workers,
            "parallelism": parent.spec.workers,
            # Per index, and the Job's own backoffLimit unset: that one adds up the failures of
            # all workers, so that four of them failing once would end the Job.
            "backoffLimitPerIndex": parent.spec.backoff_limit,
            # The first worker that sees the manifest delivered ends the Job for all.
            "successPolicy": {"rules": [{"succeededCount": 1}]},
            "podFailurePolicy": _pod_failure_policy(),
            "template": {"metadata": metadata, "spec": _pod_spec(parent, pool, settings)},
        },
    }


def task_of(parent: TranscriptionJob, pool: NodePool) -> Task:
    """What the workers are told."""
    spec = parent.spec
    return Task(
        uid=parent.metadata.uid,
        owner=parent.key,
        source_uri=spec.source.uri,
        output_uri=spec.output.uri,
        formats=spec.output.formats,
        overwrite=spec.output.overwrite,
        secret_name=spec.object_store.secret_name,
        model=spec.model,
        language=spec.language,
        task=spec.task,
        decoding=spec.decoding,
        batch_size=spec.decoding.batch_size or pool.default_batch_size,
        workers=spec.workers,
        limits=Limits(
            max_file_bytes=spec.limits.file_bytes(),
            max_file_seconds=spec.limits.max_file_seconds,
        ),
    )


def _pod_failure_policy() -> Manifest:
    return {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": CONTAINER,
                    "operator": "In",
                    "values": list(FINAL_CODES),
                },
            },
            {
                "action": "Ignore",
                "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
            },
        ]
    }


def _pod_spec(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> Manifest:
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "nodeSelector": pool.node_selector,
        "tolerations": [*pool.tolerations, *_lost_node_tolerations()],
        "runtimeClassName": pool.runtime_class_name,
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
        "containers": [_container(parent, pool, settings)],
        "volumes": _volumes(parent),
    }
    return {key: value for key, value in spec.items() if value not in (None, [], {})}


def _container(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> Manifest:
    return {
        "name": CONTAINER,
        "image": settings.transcriber_image,
        "imagePullPolicy": settings.image_pull_policy,
        "env": _environment(parent, pool),
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "resources": _resources(pool),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "work", "mountPath": WORK_DIRECTORY},
            {"name": "models", "mountPath": MODEL_DIRECTORY},
            {"name": "tmp", "mountPath": "/tmp"},
            {
                "name": "ca",
                "mountPath": CA_CERTIFICATE_PATH.rpartition("/")[0],
                "readOnly": True,
            },
        ],
    }


def _environment(parent: TranscriptionJob, pool: NodePool) -> list[Manifest]:
    # TASK comes first: the kubelet expands $(NAME) only of variables defined before.
    task = {"name": TASK_VARIABLE, "value": task_of(parent, pool).to_environment()}
    return [task, *(_secret_variable(parent, key) for key in STORE_VARIABLES)]


def _secret_variable(parent: TranscriptionJob, key: str) -> Manifest:
    reference: Manifest = {"name": parent.spec.object_store.secret_name, "key": key}
    if key in OPTIONAL_STORE_KEYS:
        # Without it a Secret that lacks the key keeps the pod in CreateContainerConfigError.
        reference["optional"] = True
    return {"name": STORE_VARIABLES[key], "valueFrom": {"secretKeyRef": reference}}


def _resources(pool: NodePool) -> Manifest:
    resources = {kind: dict(amounts) for kind, amounts in pool.resources.items()}
    if pool.gpu:
        resources.setdefault("limits", {})[pool.gpu.resource] = str(pool.gpu.count)
    return resources


def _volumes(parent: TranscriptionJob) -> list[Manifest]:
    limits = parent.spec.limits
    work_bytes = (
        limits.file_bytes() + limits.max_file_seconds * _PCM_BYTES_PER_SECOND + _WORK_SLACK_BYTES
    )
    ca_items = [{"key": "caCert", "path": CA_CERTIFICATE_PATH.rpartition("/")[2]}]
    return [
        {"name": "work", "emptyDir": {"sizeLimit": str(work_bytes)}},
        {"name": "models", "emptyDir": {"sizeLimit": str(_MODEL_BYTES)}},
        {"name": "tmp", "emptyDir": {"sizeLimit": str(_WORK_SLACK_BYTES)}},
        {
            "name": "ca",
            "secret": {
                "secretName": parent.spec.object_store.secret_name,
                "items": ca_items,
                "optional": True,
            },
        },
    ]


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
