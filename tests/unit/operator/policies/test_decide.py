from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_operator.policies import decide, lost_nodes
from transcription_operator.policies.actions import ChangeJob, CreateJob, DeleteJob
from transcription_operator.policies.observation import Observation, ObservedJob

JOB = "standup-1a2b3c4d-1"
REFUSED = Failure(reason="JobRefused", message="exceeded quota: jobs")
KUEUE = {"queueName": "team-a"}


def suspend(whether: bool) -> ChangeJob:
    annotations = {"transcription.dev/suspended": "true" if whether else None}
    return ChangeJob(JOB, "job-uid", {"suspend": whether}, annotations)


def held(**fields: Any) -> ObservedJob:
    """Suspended by the operator."""
    return job(suspended=True, suspended_by_us=True, **fields)


ACTIONS = [
    ("no Job yet", {}, seen(), [CreateJob(None)]),
    ("its turn has not come", {}, Observation(queued=2), []),
    ("created suspended", {"suspend": True}, seen(), []),
    ("refused a moment ago", {}, Observation(refused=REFUSED, again=30), []),
    ("the Job of before is still being deleted", {}, Observation(leaving=True), []),
    ("all is as it should be", {}, seen(job(), pod()), []),
    ("to be suspended", {"suspend": True}, seen(job(), pod()), [suspend(True)]),
    ("suspended already", {"suspend": True}, seen(held()), []),
    ("to be resumed", {}, seen(held()), [suspend(False)]),
    ("to be resumed, in its turn", {}, Observation(held(), queued=1), []),
    ("suspended by something else", {}, seen(job(suspended=True)), []),
    ("suspended by something else and by the user", {"suspend": True}, seen(job(suspended=True)),
     []),
    ("resumed by something else", {"suspend": True}, seen(job(suspended_by_us=True)),
     [DeleteJob(JOB, "job-uid")]),
    ("resumed by something else, as the user wants", {}, seen(job(suspended_by_us=True)), []),
    ("finished before it could be suspended", {"suspend": True}, seen(job("Complete")), []),
    ("Kueue holds it", KUEUE, seen(job(suspended=True)), []),
    ("Kueue lets it run", KUEUE, seen(job()), []),
    ("suspended in a queue of Kueue's", {**KUEUE, "suspend": True}, seen(job()),
     [DeleteJob(JOB, "job-uid")]),
    ("Kueue has put it into the default queue", {}, seen(job(suspended=True, queue="default")), []),
    ("suspended in the default queue", {"suspend": True}, seen(job(queue="default")),
     [DeleteJob(JOB, "job-uid")]),
    ("with more workers", {"workers": 3}, seen(job(workers=2)),
     [ChangeJob(JOB, "job-uid", {"completions": 3, "parallelism": 3})]),
    ("with fewer workers, but over", {"workers": 1}, seen(job("Complete", workers=2)), []),
    ("with an end", {"activeDeadlineSeconds": 60}, seen(), [CreateJob(60)]),
    ("with a new end", {"activeDeadlineSeconds": 90}, seen(job(active_deadline=60)),
     [ChangeJob(JOB, "job-uid", {"activeDeadlineSeconds": 90})]),
    ("its namespace is being deleted", {}, Observation(job(), (pod(),), ending=True),
     [DeleteJob(JOB, "job-uid")]),
    ("its namespace is, and it is over", {}, Observation(job("Complete"), ending=True), []),
    ("without an end any more", {}, seen(job(active_deadline=60)),
     [ChangeJob(JOB, "job-uid", {"activeDeadlineSeconds": None})]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "observation", "expected"), [a[1:] for a in ACTIONS], ids=[a[0] for a in ACTIONS]
)
def test_what_is_seen_decides_what_is_done(spec, observation, expected):
    assert decide.actions(owner(**spec), observation, NOW) == expected


def test_a_resumed_job_gets_the_rest_of_its_time():
    resumed = owner(activeDeadlineSeconds=100, status={"activeSeconds": 70})
    suspended = seen(held(active_deadline=100))
    (change,) = decide.actions(resumed, suspended, NOW)
    assert isinstance(change, ChangeJob)
    assert change.spec == {"suspend": False, "activeDeadlineSeconds": 30}


@pytest.mark.parametrize(
    ("phase", "observation", "expected"),
    [
        ("Failed", seen(job(), pod("Pending")), [DeleteJob(JOB, "job-uid")]),
        ("Failed", seen(job("Failed")), []),
        ("Succeeded", seen(job("SuccessCriteriaMet"), pod()), []),
        ("Failed", seen(), []),
    ],
    ids=["given up while its Job waits", "failed with its Job", "delivered", "nothing left"],
)
def test_a_failed_jobs_pods_may_not_work_on(phase, observation, expected):
    assert decide.actions(owner(status={"phase": phase}), observation, NOW) == expected


AGAIN = [
    ("a refusal may go away", {}, Observation(refused=REFUSED, again=30), 30),
    ("a Job without pods, whose refusals are watched", {}, seen(job()), 300),
    ("the pending deadline", {"pendingDeadlineSeconds": 40}, seen(job(), pod("Pending")), 40),
    ("nothing to wait for", {"pendingDeadlineSeconds": 9999}, seen(job(), pod("Pending")), 300),
    ("suspended", {"suspend": True}, seen(job(suspended=True)), 300),
    ("a pod told to go", {}, seen(job(), pod(deletion=NOW)), lost_nodes.LOST_AFTER.total_seconds()),
]


def again_after(of: TranscriptionJob, observation: Observation) -> float | None:
    return decide.again_after(of, of.status, observation, NOW, resync=300)


@pytest.mark.parametrize(
    ("spec", "observation", "seconds"), [a[1:] for a in AGAIN], ids=[a[0] for a in AGAIN]
)
def test_a_job_is_reconciled_again_when_time_alone_changes_something(spec, observation, seconds):
    assert again_after(owner(**spec), observation) == seconds


def test_a_job_that_was_held_for_long_is_reconciled_again_when_its_time_to_start_is_over():
    released = owner(pendingDeadlineSeconds=40, status={"activeSince": NOW.isoformat()})
    held = seen(job(created=NOW - timedelta(hours=2), started=None), pod("Pending"))
    assert again_after(released, held) == 40


def test_a_pending_job_is_reconciled_again_when_it_may_be_stuck():
    pending = owner(status={"phase": "Pending", "activeSince": NOW.isoformat()})
    later = NOW + timedelta(seconds=100)
    after = decide.again_after(pending, pending.status, seen(job(), pod("Pending")), later, 1000)
    assert after == 200
