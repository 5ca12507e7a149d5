from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, keep, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster, stage
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, ConflictError, NotFoundError, UnreachableError
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler


@pytest.mark.parametrize("there", [None, "another"], ids=["gone", "another of its name"])
async def test_no_job_is_made_for_what_was_deleted_unheard(there):
    cluster = PlayedCluster(there=there)
    caches, reconciler = stage(cluster, {"phase": "Pending"})
    with pytest.raises(ConflictError):
        await reconciler.reconcile("media/standup")
    assert cluster.created == []
    assert caches.owners.all() == []


NEEDS_TEAM = (
    f"jobs.batch \"{CHILD}\" is forbidden: ValidatingAdmissionPolicy 'team' with binding 'team' "
    "denied request: pods need the label team"
)
DENIED = 'admission webhook "policy.example" denied the request: no'
NO_ANSWER = 'Internal error occurred: failed calling webhook "slow.example": deadline exceeded'
REFUSALS = [
    ("by a quota", ApiError(403, f'jobs.batch "{CHILD}" is forbidden: exceeded quota: jobs')),
    ("by a policy", ApiError(422, NEEDS_TEAM)),
    ("by a webhook", ApiError(400, DENIED)),
    ("by a webhook, as invalid", ApiError(422, f'{DENIED}: Job "x" is invalid: spec')),
    ("by a webhook, as a conflict", ConflictError(409, DENIED)),
    ("by a webhook, as not found", NotFoundError(404, DENIED)),
    ("for a webhook that does not answer", ApiError(500, NO_ANSWER)),
]


@pytest.mark.parametrize("refusal", [r[1] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
async def test_a_refusal_that_may_go_away_is_shown_and_tried_again(refusal):
    cluster = PlayedCluster()
    cluster.failure = refusal
    _, reconciler = stage(cluster)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "JobRefused")
    assert written["message"] == refusal.message
    assert after == pytest.approx(15, abs=1)


TROUBLES = [
    ("too many requests", ApiError(429, "too many requests")),
    ("an internal error", ApiError(500, "etcdserver: request timed out")),
    ("not available", ApiError(503, "etcdserver: no leader")),
    ("a timeout of the server", ApiError(504, "Timeout: request did not complete")),
    ("a broken connection", UnreachableError("POST /apis/batch/v1: Server disconnected")),
]


class Clocked:
    """A new job on a cluster, and a clock that goes from one reconciliation to the next."""

    def __init__(self) -> None:
        self.cluster, self.now = PlayedCluster(), NOW
        self.caches = Caches(lambda _: None)
        keep(self.caches.owners, manifest(9))
        self.reconciler = Reconciler(
            self.cluster,  # type: ignore[arg-type]
            self.caches,
            settings(),
            lambda _: None,
            clock=lambda: self.now,
        )

    async def reconcile(self) -> float:
        """Reconcile, and let the time pass after which that is to be done again."""
        seconds = await self.reconciler.reconcile("media/standup")
        assert seconds is not None
        self.now += timedelta(seconds=seconds)
        return seconds


@pytest.mark.parametrize("trouble", [t[1] for t in TROUBLES], ids=[t[0] for t in TROUBLES])
async def test_a_server_in_trouble_is_no_refusal_and_named_after_a_minute(trouble):
    stage = Clocked()
    stage.cluster.failure = trouble
    waits = [await stage.reconcile() for _ in range(6)]
    assert waits == [1, 2, 4, 8, 16, 32]
    (first,) = stage.cluster.statuses
    assert (first["phase"], first["reason"]) == ("Pending", "JobMissing")
    assert first["message"] == "The Job is being created"
    assert stage.cluster.events == []
    assert await stage.reconcile() == 60
    named = stage.cluster.statuses[-1]
    assert named["reason"] == "ApiServerUnavailable"
    assert "for over a minute" in named["message"]
    assert (getattr(trouble, "message", None) or str(trouble)) in named["message"]
    stage.cluster.failure = None
    await stage.reconcile()
    assert stage.cluster.statuses[-1]["reason"] == "WorkersStarting"


async def test_trouble_of_the_server_does_not_hide_a_refusal():
    stage = Clocked()
    stage.cluster.failure = ApiError(403, f'jobs.batch "{CHILD}" is forbidden: exceeded quota')
    assert await stage.reconcile() == 15
    stage.cluster.failure = ApiError(503, "etcdserver: no leader")
    assert await stage.reconcile() == 1
    assert [status["reason"] for status in stage.cluster.statuses] == ["JobRefused"]


async def test_a_job_that_the_api_server_finds_invalid_fails():
    cluster = PlayedCluster()
    words = f'Job.batch "{CHILD}" is invalid: spec.template.spec.nodeSelector: Invalid value'
    cluster.failure = ApiError(422, words)
    _, reconciler = stage(cluster)
    await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Failed", "ConfigurationInvalid")
    assert words in written["message"]


async def test_a_refused_creation_is_not_tried_again_before_its_time_nor_the_job_read_before_it():
    cluster, now = PlayedCluster(), [NOW]
    cluster.failure = ApiError(403, "exceeded quota: jobs")
    caches = Caches(lambda _: None)
    keep(caches.owners, manifest(9, generation=1))
    reconciler = Reconciler(
        cluster,  # type: ignore[arg-type]
        caches,
        settings(),
        lambda _: None,
        clock=lambda: now[0],
    )
    assert await reconciler.reconcile("media/standup") == 15
    now[0] += timedelta(seconds=5)
    assert await reconciler.reconcile("media/standup") == 10
    assert len(cluster.created) == 1
    now[0] += timedelta(seconds=10)
    assert await reconciler.reconcile("media/standup") == 30
    assert (len(cluster.created), cluster.gets) == (2, 0)
    keep(caches.owners, manifest(99, generation=2))
    assert await reconciler.reconcile("media/standup") == 15
    assert len(cluster.created) == 3


@pytest.mark.parametrize("is_cached", [False, True], ids=["without our label", "with our label"])
async def test_a_foreign_job_of_the_childs_name_is_named_with_what_to_do(is_cached):
    cluster = PlayedCluster()
    cluster.failure = ConflictError(409, f'jobs.batch "{CHILD}" already exists')
    cluster.job = child(owner="somebody-else")
    caches, reconciler = stage(cluster)
    if is_cached:
        caches.put_job(cluster.job)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "NameTaken")
    assert f"kubectl delete job -n media {CHILD}" in written["message"]
    assert after == pytest.approx(300 if is_cached else 15, abs=1)
