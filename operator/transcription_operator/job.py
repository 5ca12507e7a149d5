"""TranscriptionJob -> the Kubernetes Job that does it. Pure."""

from typing import Any

from transcription_contract.exit_codes import FINAL_CODES
from transcription_contract.locations import ObjectUri
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
from transcription_operator.settings import ModelCache, NodePool, Settings

CONTAINER = "transcriber"
Manifest = dict[str, Any]

_USER = 65532
_PCM_BYTES_PER_SECOND = 16_000 * 2
_RECORDINGS_AT_ONCE = 3
"""With a prefix as source: the one being transcribed, the one fetched meanwhile, and another
worker's that is helped with."""
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


def task_of(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> Task:
    """What the workers are told."""
    spec = parent.spec
    return Task(
        uid=parent.metadata.uid,
        owner=parent.key,
        source_uri=spec.source.uri,
        include=spec.source.include,
        exclude=spec.source.exclude,
        output_uri=spec.output.uri,
        formats=spec.output.formats,
        subtitles=spec.output.subtitles,
        overwrite=spec.output.overwrite,
        secret_name=spec.object_store.secret_name,
        model=spec.model,
        language=spec.language,
        task=spec.task,
        decoding=spec.decoding,
        batch_size=spec.decoding.batch_size or pool.default_batch_size,
        workers=spec.workers,
        failure_policy=spec.failure_policy,
        limits=Limits(
            max_file_bytes=spec.limits.file_bytes(),
            max_file_seconds=spec.limits.max_file_seconds,
        ),
        model_mirror_uri=settings.models.mirror_uri,
        allowed_networks=settings.source_networks,
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
        "volumes": _volumes(parent, settings),
    }
    return {key: value for key, value in spec.items() if value not in (None, [], {})}


def _container(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> Manifest:
    return {
        "name": CONTAINER,
        "image": settings.transcriber_image,
        "imagePullPolicy": settings.image_pull_policy,
        "env": _environment(parent, pool, settings),
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


def _environment(parent: TranscriptionJob, pool: NodePool, settings: Settings) -> list[Manifest]:
    # TASK comes first: the kubelet expands $(NAME) only of variables defined before.
    task = {"name": TASK_VARIABLE, "value": task_of(parent, pool, settings).to_environment()}
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


def _volumes(parent: TranscriptionJob, settings: Settings) -> list[Manifest]:
    ca_items = [{"key": "caCert", "path": CA_CERTIFICATE_PATH.rpartition("/")[2]}]
    return [
        {"name": "work", "emptyDir": {"sizeLimit": str(_work_bytes(parent))}},
        {"name": "models", **_model_volume(settings.models.cache)},
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


def _work_bytes(parent: TranscriptionJob) -> int:
    """Room for each recording at once and its samples; a pod that needs more is evicted."""
    limits = parent.spec.limits
    recording = limits.file_bytes() + limits.max_file_seconds * _PCM_BYTES_PER_SECOND
    many = ObjectUri.parse(parent.spec.source.uri).is_prefix
    return (_RECORDINGS_AT_ONCE if many else 1) * recording + _WORK_SLACK_BYTES


def _model_volume(cache: ModelCache | None) -> Manifest:
    if cache is None:
        return {"emptyDir": {"sizeLimit": str(_MODEL_BYTES)}}
    if cache.host_path:
        return {"hostPath": {"path": cache.host_path, "type": "DirectoryOrCreate"}}
    return {"persistentVolumeClaim": {"claimName": cache.persistent_volume_claim}}


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
