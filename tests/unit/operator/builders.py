"""Builders of what the tests look at: defaults that are fine, one argument a deviation."""

from datetime import UTC, datetime
from typing import Any

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_kube.keys import key_of
from transcription_operator.policies.names import CONTAINER
from transcription_operator.policies.observation import Observation, ObservedJob, ObservedPod
from transcription_operator.runtime.owners import Owners
from transcription_operator.settings import Gpu, NodePool, Settings

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
UID = "3f0b0a52-7e4f-4a55-8f4e-0d6a3d1f2b11"


def owner(
    status: dict[str, Any] | None = None,
    annotations: dict[str, str] | None = None,
    name: str = "standup",
    **spec: Any,
) -> TranscriptionJob:
    return TranscriptionJob.model_validate(
        {
            "metadata": {
                "name": name,
                "annotations": annotations or {},
                "namespace": "media",
                "uid": UID,
                "generation": 1,
                "resourceVersion": "7",
                "creationTimestamp": "2026-11-22T11:59:00Z",
            },
            "spec": {
                "source": {"uri": "s3://recordings/standup.mp3"},
                "output": {"uri": "s3://transcripts/standup/"},
                **spec,
            },
            "status": status or {},
        }
    )


def settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "transcriber_image": "registry.example/transcriber:1",
        "node_pools": {
            "cpu": NodePool(),
            "a100": NodePool(
                node_selector={"gpu": "a100"},
                tolerations=({"key": "nvidia.com/gpu", "operator": "Exists"},),
                gpu=Gpu(),
                resources={"requests": {"cpu": "2"}, "limits": {"memory": "16Gi"}},
            ),
        },
        "default_node_pool": "a100",
        **changes,
    }
    return Settings(**values)


def job(*conditions: str, **fields: Any) -> ObservedJob:
    found = {kind: ("BecauseOf" + kind, f"the controller says {kind}") for kind in conditions}
    values = {"created": NOW, "started": NOW, "conditions": found, "workers": 1, **fields}
    return ObservedJob(name="standup-1a2b3c4d-1", uid="job-uid", owner_uid=UID, **values)


def pod(phase: str = "Running", name: str = "standup-0-abcde", **fields: Any) -> ObservedPod:
    running = phase == "Running"
    return ObservedPod(**{"name": name, "phase": phase, "running": running, **fields})


def seen(job: ObservedJob | None = None, *pods: ObservedPod) -> Observation:
    return Observation(job, pods)


def controlled_by(
    uid: str, kind: str = "Job", api_version: str = "batch/v1"
) -> list[dict[str, Any]]:
    """ownerReferences with this controller."""
    return [
        {"apiVersion": api_version, "kind": kind, "name": "its", "uid": uid, "controller": True}
    ]


def raw_pod(container_state: dict[str, Any], **status: Any) -> dict[str, Any]:
    """A Pod as the API server returns it."""
    return {
        "metadata": {"name": "standup-0-abcde"},
        "spec": {"containers": [{"name": CONTAINER, "resources": {"limits": {"memory": "4Gi"}}}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": CONTAINER, "state": container_state}],
            **status,
        },
    }


def keep(owners: Owners, found: dict[str, Any]) -> None:
    """As an informer does with the first list."""
    owners.store.put(key_of(found), owners.parse(found))


def lose(owners: Owners, key: str = "media/standup") -> None:
    """As an informer does when it is told of the object's end."""
    owners.store.put(key, None)
