"""What a worker takes of its node: resources, and the volumes that its disk is made of. Pure."""

from typing import Any

from transcription_api.resources import amount_of
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.locations import ObjectUri
from transcription_contract.task import CA_CERTIFICATE_PATH, KEY_FILES, Limits
from transcription_operator.settings import ModelCache, NodePool, Settings

Manifest = dict[str, Any]

_PCM_BYTES_PER_SECOND = 16_000 * 2
_RECORDINGS_AT_ONCE = 3
"""With a prefix as source: the one being transcribed, the one fetched meanwhile, and another
worker's that is helped with."""
_WORK_SLACK_BYTES = 1024**3
_LOG_BYTES = 1024**3
_DISK = "ephemeral-storage"
_MODEL_BYTES = 8 * 1024**3
"""Twice the largest official checkpoint (large, 2.9 GiB), rounded up."""


def resources_of(owner: TranscriptionJob, pool: NodePool, volumes: list[Manifest]) -> Manifest:
    """The container's requests and limits: the pool's, and the job's in their place."""
    resources = {kind: dict(amounts) for kind, amounts in pool.resources.items()}
    if pool.gpu:
        resources.setdefault("limits", {})[pool.gpu.resource] = str(pool.gpu.count)
    if stated := owner.spec.resources:
        for kind, amounts in (("requests", stated.requests), ("limits", stated.limits)):
            resources[kind] = resources.get(kind, {}) | amounts
    if requested := resources.get("requests", {}).get(_DISK):
        limit = max(int(amount_of(requested)), _disk_bytes(volumes))
        resources.setdefault("limits", {}).setdefault(_DISK, str(limit))
    return {kind: amounts for kind, amounts in resources.items() if amounts}


def _disk_bytes(volumes: list[Manifest]) -> int:
    """What the volumes may hold, and room for logs.

    With a limit of its own a pod is not given a LimitRange's default, such as GKE Autopilot's
    1 GiB, for which the kubelet would evict it again and again.
    """
    sizes = (int(volume["emptyDir"]["sizeLimit"]) for volume in volumes if "emptyDir" in volume)
    return sum(sizes) + _LOG_BYTES


def volumes_of(owner: TranscriptionJob, settings: Settings) -> list[Manifest]:
    """The pod's volumes: work, models, tmp and, with a Secret, its certificates and keys."""
    work = _work_bytes(owner, limits_of(owner, settings))
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {"sizeLimit": str(work)}},
        {"name": "models", **_model_volume(settings.models.cache)},
        {"name": "tmp", "emptyDir": {"sizeLimit": str(_WORK_SLACK_BYTES)}},
    ]
    if secret := owner.spec.object_store.secret:
        items = [{"key": "caCert", "path": CA_CERTIFICATE_PATH.rpartition("/")[2]}]
        certificates = {"secretName": secret, "items": items, "optional": True}
        # Optional: that a key is missing is told by the environment, in the kubelet's clear words.
        keys = {
            "secretName": secret,
            "items": [{"key": key, "path": key} for key in KEY_FILES],
            "optional": True,
        }
        volumes += [
            {"name": "ca", "secret": certificates},
            {"name": "object-store", "secret": keys},
        ]
    return volumes


def limits_of(owner: TranscriptionJob, settings: Settings) -> Limits:
    """The largest recording that the job's workers take on: its own word, and the settings'."""
    stated = owner.spec.limits
    most = settings.limits.of_file(stated.file_bytes(), stated.max_file_seconds)
    return Limits(max_file_bytes=most[0], max_file_seconds=most[1])


def _work_bytes(owner: TranscriptionJob, limits: Limits) -> int:
    """Room for each recording at once and its samples; a pod that needs more is evicted."""
    recording = limits.max_file_bytes + limits.max_file_seconds * _PCM_BYTES_PER_SECOND
    many = ObjectUri.parse(owner.spec.source.uri).is_prefix
    return (_RECORDINGS_AT_ONCE if many else 1) * recording + _WORK_SLACK_BYTES


def _model_volume(cache: ModelCache | None) -> Manifest:
    if cache is None:
        return {"emptyDir": {"sizeLimit": str(_MODEL_BYTES)}}
    if cache.host_path:
        return {"hostPath": {"path": cache.host_path, "type": "DirectoryOrCreate"}}
    return {"persistentVolumeClaim": {"claimName": cache.persistent_volume_claim}}
