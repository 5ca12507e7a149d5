import asyncio
from typing import Any

from tests.unit.operator.builders import UID, controlled_by, keep, settings
from tests.unit.operator.endings import LAST_WORDS
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, KubeError, NotFoundError
from transcription_operator.policies import names
from transcription_operator.policies.names import CONTAINER
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler


class PlayedCluster:
    """An API server that has these pods and takes every status.

    ``there``: the uid that the TranscriptionJob has there.
    """

    def __init__(self, *pods: dict[str, Any], there: str | None = UID) -> None:
        self.pods = list(pods)
        self.there = there
        self.statuses: list[dict[str, Any]] = []
        self.created: list[dict[str, Any]] = []
        self.failure: KubeError | None = None
        self.conflict: ApiError | None = None
        self.job = child()
        self.gets = 0
        self.deleted: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.asked_whether_it_ends = 0
        self.ends = True
        self.nodes: list[str] = []
        self.at_once = self.most_at_once = self.releases = 0
        self.may_release = True

    async def get_transcription_job(self, *_: str) -> dict[str, Any] | None:
        self.gets += 1
        return manifest(11, uid=self.there) if self.there else None

    async def get_job(self, *_: str) -> dict[str, Any]:
        return self.job

    async def create_job(self, _: str, job: dict[str, Any]) -> dict[str, Any]:
        self.created.append(job)
        if self.failure:
            raise self.failure
        return child()

    async def pods_of(self, _: str, owner_uid: str) -> list[dict[str, Any]]:
        assert owner_uid == UID
        return self.pods

    async def is_ending(self, _: str) -> bool:
        self.asked_whether_it_ends += 1
        return self.ends

    async def is_silent(self, node: str) -> bool:
        self.nodes.append(node)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return True

    async def end_pod(self, *_: Any, **__: Any) -> None:
        self.releases += 1
        if not self.may_release:
            raise ApiError(403, "pods/status is forbidden")

    async def mark_deleted(self, *_: Any) -> None:
        if not self.may_release:
            await self.end_pod()

    async def delete_job(self, _: str, name: str, __: str) -> None:
        self.deleted.append(name)

    async def change_job(self, *_: Any) -> dict[str, Any]:
        return child()

    async def patch_status(self, _: str, __: str, patch: dict[str, Any]) -> dict[str, Any]:
        if self.there is None:
            raise NotFoundError(404, "not found")
        if self.conflict:
            raise self.conflict
        self.statuses.append(patch["status"])
        return manifest(10) | {"status": patch["status"]}

    async def create_event(self, _: str, event: dict[str, Any]) -> None:
        self.events.append(event)

    async def patch_event(self, *_: Any) -> bool:
        return True


def worker(phase: str, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{CHILD}-0-abcde", "namespace": "media",
            "annotations": {names.OWNER_NAME_ANNOTATION: "standup"},
            "ownerReferences": controlled_by("job-uid"),
        },
        "status": {
            "phase": phase, "containerStatuses": [{"name": CONTAINER, "state": state}],
        },
    }  # fmt: skip


RUNNING = worker("Running", {"running": {}})
DELIVERED = worker("Succeeded", {"terminated": {"exitCode": 0, "message": LAST_WORDS}})
GOING = {"deletionTimestamp": "2026-11-22T12:00:00Z"}
BROKEN = worker("Failed", {"terminated": {"exitCode": 69}})


def stage(
    cluster: PlayedCluster, status: dict[str, Any] | None = None, **changes: Any
) -> tuple[Caches, Reconciler]:
    """A TranscriptionJob without a Job; ``changes`` are those of the settings."""
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9) | {"status": status or {}})
    stated = settings(**changes)
    return caches, Reconciler(cluster, caches, stated, lambda _: None)  # type: ignore[arg-type]
