from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, settings
from tests.unit.operator.runtime.played_cluster import PlayedCluster, stage
from tests.unit.operator.runtime.test_caches import CHILD, child, manifest
from transcription_kube.errors import ApiError, ConflictError, NotFoundError
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
REFUSALS = [
    ("by a quota", ApiError(403, f'jobs.batch "{CHILD}" is forbidden: exceeded quota: jobs')),
    ("by a policy", ApiError(422, NEEDS_TEAM)),
    ("by a webhook", ApiError(400, DENIED)),
    ("by a webhook, as invalid", ApiError(422, f'{DENIED}: Job "x" is invalid: spec')),
    ("by a webhook, as a conflict", ConflictError(409, DENIED)),
    ("by a webhook, as not found", NotFoundError(404, DENIED)),
    ("for a webhook that does not answer", ApiError(500, "failed calling webhook: timeout")),
    ("by a server in trouble", ApiError(503, "etcd has no leader")),
]


@pytest.mark.parametrize("refusal", [r[1] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
async def test_a_refusal_that_may_go_away_is_shown_and_tried_again(refusal):
    cluster = PlayedCluster()
    cluster.refusal = refusal
    _, reconciler = stage(cluster)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "JobRefused")
    assert written["message"] == refusal.message
    assert after == pytest.approx(15, abs=1)


async def test_a_job_that_the_api_server_finds_invalid_fails():
    cluster = PlayedCluster()
    words = f'Job.batch "{CHILD}" is invalid: spec.template.spec.nodeSelector: Invalid value'
    cluster.refusal = ApiError(422, words)
    _, reconciler = stage(cluster)
    await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Failed", "ConfigurationInvalid")
    assert words in written["message"]


async def test_a_refused_creation_is_not_tried_again_before_its_time_nor_the_job_read_before_it():
    cluster, now = PlayedCluster(), [NOW]
    cluster.refusal = ApiError(403, "exceeded quota: jobs")
    caches = Caches(lambda _: None)
    caches.owners.put(manifest(9, generation=1))
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
    caches.owners.put(manifest(99, generation=2))
    assert await reconciler.reconcile("media/standup") == 15
    assert len(cluster.created) == 3


@pytest.mark.parametrize("is_cached", [False, True], ids=["without our label", "with our label"])
async def test_a_foreign_job_of_the_childs_name_is_named_with_what_to_do(is_cached):
    cluster = PlayedCluster()
    cluster.refusal = ConflictError(409, f'jobs.batch "{CHILD}" already exists')
    cluster.job = child(owner="somebody-else")
    caches, reconciler = stage(cluster)
    if is_cached:
        caches.put_job(cluster.job)
    after = await reconciler.reconcile("media/standup")
    (written,) = cluster.statuses
    assert (written["phase"], written["reason"]) == ("Pending", "NameTaken")
    assert f"kubectl delete job -n media {CHILD}" in written["message"]
    assert after == pytest.approx(300 if is_cached else 15, abs=1)
