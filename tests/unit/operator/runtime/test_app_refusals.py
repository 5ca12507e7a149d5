from typing import Any

import pytest

from tests.unit.operator.builders import keep, settings
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, ConflictError
from transcription_operator.policies.observation import ObservedJob
from transcription_operator.policies.refusals import PodRefusal
from transcription_operator.runtime.app import App
from transcription_operator.runtime.metrics import Metrics

REFUSAL = PodRefusal(f"media/{CHILD}", "job-uid", "exceeded quota: gpus", version=12)


class Collections:
    """A cluster of which nothing is read."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_: Collections()


@pytest.fixture
def app() -> App:
    app = App(Collections(), settings(), None, Metrics("operator"))  # type: ignore[arg-type]
    keep(app.caches.owners, manifest(9))
    app.caches.put_job(child())
    return app


def test_the_owner_of_refused_pods_is_reconciled_and_nobody_for_another_job(app):
    app._pods_refused(
        "", None, PodRefusal("media/another", "x", "exceeded quota: gpus", version=13)
    )
    assert len(app.queue) == 0
    app._pods_refused("", None, REFUSAL)
    assert len(app.queue) == 1


def test_a_refusal_is_forgotten_with_its_job(app):
    app._pods_refused("", None, REFUSAL)
    job = ObservedJob.parse(child())
    app._job_changed("", job, job)
    assert app.caches.refused_pods.of(job)
    app._job_changed("", job, None)
    assert len(app.caches.refused_pods) == 0


@pytest.mark.parametrize(
    ("error", "result"),
    [(ConflictError(409, "modified"), "requeue"), (ApiError(500, "no"), "error")],
    ids=["a conflict", "a server error"],
)
async def test_a_conflict_is_not_counted_as_a_failed_reconciliation(app, error, result):
    async def fail(_key):
        raise error

    app._reconciler.reconcile = fail
    with pytest.raises(ApiError):
        await app._reconcile("media/standup")
    text = app._metrics.text().decode()
    assert f'transcription_operator_reconcile_total{{result="{result}"}} 1.0' in text
