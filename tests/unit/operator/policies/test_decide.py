from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, parent, pod, seen
from transcription_operator.policies import decide
from transcription_operator.policies.decide import ChangeJob, CreateJob, DeleteJob, ReleasePod
from transcription_operator.policies.observed import Observation

JOB = "standup-1a2b3c4d-1"
KUEUE = {"queueName": "team-a"}


def suspend(whether: bool) -> ChangeJob:
    return ChangeJob(JOB, "job-uid", {"suspend": whether})


ACTIONS = [
    ("no Job yet", {}, seen(), [CreateJob(None)]),
    ("its turn has not come", {}, Observation(queued=2), []),
    ("created suspended", {"suspend": True}, seen(), []),
    ("the Job of before is still being deleted", {}, Observation(leaving=True), []),
    ("all is as it should be", {}, seen(job(), pod()), []),
    ("to be suspended", {"suspend": True}, seen(job(), pod()), [suspend(True)]),
    ("suspended already", {"suspend": True}, seen(job(suspended=True)), []),
    ("to be resumed", {}, seen(job(suspended=True)), [suspend(False)]),
    ("to be resumed, in its turn", {}, Observation(job(suspended=True), queued=1), []),
    ("finished before it could be suspended", {"suspend": True}, seen(job("Complete")), []),
    ("Kueue holds it", KUEUE, seen(job(suspended=True)), []),
    ("Kueue lets it run", KUEUE, seen(job()), []),
    ("suspended in a queue of Kueue's", {**KUEUE, "suspend": True}, seen(job()),
     [DeleteJob(JOB, "job-uid")]),
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
    assert decide.actions(parent(**spec), observation, NOW) == expected


def test_a_resumed_job_gets_the_rest_of_its_time():
    resumed = parent(activeDeadlineSeconds=100, status={"activeSeconds": 70})
    suspended = seen(job(suspended=True, active_deadline=100))
    assert decide.actions(resumed, suspended, NOW) == [
        ChangeJob(JOB, "job-uid", {"suspend": False, "activeDeadlineSeconds": 30})
    ]


LEFT_BEHIND = NOW - decide.LOST_AFTER
OVERDUE = [
    ("evicted from a node that does not answer", {"deletion": LEFT_BEHIND, "evicted": True}, True),
    ("deleted on a node that is not ready", {"deletion": LEFT_BEHIND, "node": "silent"}, True),
    ("deleted on a node that is well", {"deletion": LEFT_BEHIND, "node": "busy"}, False),
    ("within its grace period", {"deletion": NOW, "evicted": True}, False),
    ("not told to go", {"node": "silent"}, False),
]


@pytest.mark.parametrize(("fields", "lost"), [o[1:] for o in OVERDUE], ids=[o[0] for o in OVERDUE])
def test_a_pod_that_outlived_its_deletion_on_a_lost_node_is_released(fields, lost):
    found = Observation(job(), (pod(**fields),), silent_nodes=frozenset({"silent"}))
    expected = [ReleasePod("standup-0-abcde")] if lost else []
    assert decide.actions(parent(), found, NOW) == expected


def test_a_pod_that_has_ended_needs_no_release():
    ended = pod("Failed", deletion=LEFT_BEHIND, evicted=True)
    assert decide.actions(parent(), seen(job(), ended), NOW) == []


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
    assert decide.last_actions(parent(status={"phase": phase}), observation) == expected


ANNOTATION = "transcription.dev/retry"
RETRIES = [
    ("failed, and asked for", {"phase": "Failed"}, {ANNOTATION: "1"}, "1"),
    ("answered already", {"phase": "Failed", "retry": "1"}, {ANNOTATION: "1"}, None),
    ("asked for once more", {"phase": "Failed", "retry": "1"}, {ANNOTATION: "2"}, "2"),
    ("not asked for", {"phase": "Failed"}, {}, None),
    ("still running", {"phase": "Running"}, {ANNOTATION: "1"}, None),
    ("delivered", {"phase": "Succeeded"}, {ANNOTATION: "1"}, None),
    ("nothing said", {"phase": "Failed"}, {ANNOTATION: ""}, None),
    ("hostile and answered", {"phase": "Failed", "retry": "\ufffd" + "x" * 255},
     {ANNOTATION: "\x1b" + "x" * 900}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "annotations", "expected"), [r[1:] for r in RETRIES], ids=[r[0] for r in RETRIES]
)
def test_a_failed_job_is_tried_again_once_for_each_value_of_the_annotation(
    status, annotations, expected
):
    assert parent(status=status, annotations=annotations).retry_asked == expected


def test_a_finished_job_expires_after_its_ttl_and_one_without_never():
    ended = {"phase": "Succeeded", "completionTime": "2026-11-22T12:00:00Z"}
    assert decide.expires(parent(status=ended, ttlSecondsAfterFinished=60)) == NOW + timedelta(
        seconds=60
    )
    assert decide.expires(parent(status=ended)) is None


VISITS = [
    ("a refusal may go away", {}, Observation(refused=object()), decide.RELOOK_SECONDS),  # type: ignore[arg-type]
    ("a Job without pods", {}, seen(job()), decide.FIRST_RELOOK_SECONDS),
    ("the pending deadline", {"pendingDeadlineSeconds": 40}, seen(job(), pod("Pending")), 40),
    ("nothing to wait for", {"pendingDeadlineSeconds": 9999}, seen(job(), pod("Pending")), 300),
    ("suspended", {"suspend": True}, seen(job(suspended=True)), 300),
    ("a pod told to go", {}, seen(job(), pod(deletion=NOW)), decide.LOST_AFTER.total_seconds()),
]


@pytest.mark.parametrize(
    ("spec", "observation", "seconds"), [v[1:] for v in VISITS], ids=[v[0] for v in VISITS]
)
def test_a_job_is_visited_again_when_time_alone_changes_something(spec, observation, seconds):
    assert decide.revisit_after(parent(**spec), observation, NOW, resync=300) == seconds


def test_a_job_that_was_held_for_long_is_visited_again_when_its_time_to_start_is_over():
    released = parent(pendingDeadlineSeconds=40, status={"activeSince": NOW.isoformat()})
    held = seen(job(created=NOW - timedelta(hours=2), started=None), pod("Pending"))
    assert decide.revisit_after(released, held, NOW, resync=300) == 40
