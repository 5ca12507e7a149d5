from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from tests.unit.operator.endings import NO_SECRET
from transcription_api.status import Phase
from transcription_contract.termination import Failure
from transcription_operator.policies import decide
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.status import next_status

QUOTA = Failure(reason="JobRefused", message="exceeded quota")
ACTIVE = {"phase": "Pending", "activeSince": "2026-11-22T12:00:00Z"}


def test_a_pending_job_is_given_up_at_its_deadline_with_the_kubelets_words():
    waiting = owner(pendingDeadlineSeconds=60, status=ACTIVE)
    before = next_status(waiting, seen(job(), NO_SECRET), None, NOW + timedelta(seconds=59))
    after = next_status(waiting, seen(job(), NO_SECRET), None, NOW + timedelta(seconds=60))
    assert before.phase is Phase.PENDING
    assert after.phase is Phase.FAILED
    assert after.reason == "CreateContainerConfigError"
    assert after.message == (
        'No worker could start within 60 s: pod standup-0-abcde: secret "x" not found'
    )


def test_a_job_without_any_pod_is_given_up_too():
    waiting = owner(pendingDeadlineSeconds=60, status=ACTIVE)
    after = next_status(waiting, seen(job()), None, NOW + timedelta(seconds=61))
    assert (after.phase, after.reason) == ("Failed", "PendingDeadlineExceeded")


@pytest.mark.parametrize(
    "observation", [seen(job(), NO_SECRET), Observation(refused=QUOTA)], ids=["no pod", "no Job"]
)
def test_a_job_whose_deadline_is_0_waits_for_ever(observation: Observation):
    waiting = owner(pendingDeadlineSeconds=0, status=ACTIVE)
    years_later = NOW + timedelta(days=2000)
    after = next_status(waiting, observation, None, years_later)
    assert after.phase is Phase.PENDING
    assert decide.again_after(waiting, after, observation, years_later, 300) == 300


@pytest.mark.parametrize("started", [None, NOW - timedelta(hours=1)], ids=["never", "before"])
def test_the_time_for_which_a_job_was_held_is_no_reason_to_give_it_up(started):
    waiting = owner(pendingDeadlineSeconds=60, status=ACTIVE)
    held = job(created=NOW - timedelta(hours=2), started=started)
    after = next_status(waiting, seen(held, pod("Pending")), None, NOW + timedelta(seconds=59))
    assert after.phase is Phase.PENDING


def test_a_job_that_has_worked_is_not_given_up_as_pending():
    restarting = owner(
        pendingDeadlineSeconds=60,
        status={"phase": "Pending", "runningSince": "2026-11-22T11:00:00Z"},
    )
    after = next_status(restarting, seen(job(), pod("Pending")), None, NOW + timedelta(seconds=90))
    assert after.phase is Phase.RUNNING


def test_a_job_whose_workers_cannot_be_asked_is_remembered_as_one_that_worked():
    running = next_status(owner(pendingDeadlineSeconds=60), seen(job(), pod()), None, NOW)
    later = NOW + timedelta(hours=1)
    waiting = pod("Pending", unscheduled=("Unschedulable", "0/2 nodes"))
    for _ in range(2):
        before = owner(pendingDeadlineSeconds=60, status=running.to_wire())
        running = next_status(before, seen(job(), waiting), None, later)
    assert (running.phase, running.reason) == ("Pending", "Unschedulable")


def test_a_job_that_the_api_server_refuses_is_given_up_at_the_deadline_too():
    waiting = owner(pendingDeadlineSeconds=61, status={"activeSince": "2026-11-22T11:59:00Z"})
    after = next_status(waiting, Observation(refused=QUOTA), None, NOW + timedelta(minutes=1))
    assert (after.phase, after.reason) == ("Failed", "JobRefused")
    assert after.message == "No worker could start within 61 s: exceeded quota"


def test_a_job_controller_that_begins_costs_no_write():
    made = next_status(owner(), seen(job(started=None)), None, NOW)
    assert made.start_time == NOW
    waiting = owner(status=made.to_wire())
    assert next_status(waiting, seen(job(started=NOW + timedelta(seconds=1))), None, NOW) == made


def test_the_clock_of_activity_stands_still_while_a_job_is_suspended():
    begun = next_status(owner(), seen(job(), pod()), None, NOW)
    assert (begun.active_since, begun.active_seconds) == (NOW, 0)
    held = owner(suspend=True, status=begun.to_wire())
    paused = next_status(held, seen(job(suspended=True)), None, NOW + timedelta(seconds=40))
    assert (paused.active_since, paused.active_seconds) == (None, 40)
    still = owner(suspend=True, status=paused.to_wire())
    much_later = NOW + timedelta(hours=5)
    assert next_status(still, seen(job(suspended=True)), None, much_later).active_seconds == 40
    resumed = next_status(
        owner(status=paused.to_wire()), seen(job(started=much_later), pod()), None, much_later
    )
    assert (resumed.active_since, resumed.active_seconds) == (much_later, 40)
    assert resumed.start_time == NOW


def test_the_clock_goes_on_at_once_though_the_job_controller_has_yet_to_say_so():
    held = owner(status={"phase": "Suspended", "activeSeconds": 40})
    not_yet_seen = job(started=NOW - timedelta(hours=5))
    resumed = next_status(held, seen(not_yet_seen), None, NOW)
    assert (resumed.active_since, resumed.active_seconds) == (NOW, 40)


def test_a_retried_job_whose_pods_cannot_start_is_given_up_at_the_deadline():
    again = owner(
        pendingDeadlineSeconds=60,
        status={"attempt": 2, "activeSince": "2026-11-22T11:59:00Z",
                "progress": {"percent": 40, "totalSeconds": 100}},
    )  # fmt: skip
    stuck = seen(job(started=NOW - timedelta(seconds=60)), NO_SECRET)
    assert next_status(again, stuck, None, NOW).reason == "CreateContainerConfigError"
    assert next_status(again, stuck, None, NOW).phase is Phase.FAILED
