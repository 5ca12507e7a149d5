from typing import Any

import pytest

from tests.unit.operator.builders import keep, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster
from tests.unit.operator.runtime.test_caches import child, manifest
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler


class Kueue(PlayedCluster):
    """Suspends each Job that it has not admitted, as often as it is resumed.

    ``labels``: what it gives the Job when that is created.
    """

    def __init__(self, caches: Caches, labels: dict[str, str]) -> None:
        super().__init__()
        self.caches = caches
        self.labels = labels
        self.version = 10
        self.changes: list[dict[str, Any]] = []

    def _suspended(self) -> dict[str, Any]:
        self.version += 1
        return child(resourceVersion=str(self.version), labels=self.labels) | {
            "spec": {"suspend": True, "completions": 1, "parallelism": 1}
        }

    async def create_job(self, _: str, job: dict[str, Any]) -> dict[str, Any]:
        self.created.append(job)
        return self._suspended()

    async def change_job(self, *change: Any) -> dict[str, Any]:
        self.changes.append(change[3])
        answer = self._suspended() | {"spec": change[3]}
        self.caches.put_job(self._suspended())
        return answer

    async def patch_status(self, _: str, __: str, patch: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.statuses.append(patch["status"])
        return manifest(self.version) | {"status": patch["status"]}


KUEUES = [
    ("in its default queue", {"kueue.x-k8s.io/queue-name": "default"}, "Queued",
     "AwaitingAdmission", "default"),
    ("managing Jobs without a queue", {}, "Suspended", "JobSuspended",
     "something other than the operator"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "phase", "reason", "words"), [k[1:] for k in KUEUES], ids=[k[0] for k in KUEUES]
)
async def test_a_job_that_kueue_suspends_is_never_resumed_against_it(labels, phase, reason, words):
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9))
    kueue = Kueue(caches, labels)
    reconciler = Reconciler(kueue, caches, settings(), lambda _: None)  # type: ignore[arg-type]
    for _ in range(50):
        await reconciler.reconcile("media/standup")
    assert kueue.changes == []
    (status,) = kueue.statuses
    assert (status["phase"], status["reason"]) == (phase, reason)
    assert words in status["message"]
