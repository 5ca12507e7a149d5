from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_api.progress import Progress
from transcription_api.status import ConditionType, Phase
from transcription_contract.termination import (
    Failure,
    ItemFailure,
    Result,
    ResultFile,
    Termination,
    encode,
)
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.status import failed_status, next_status, retried_status

LAST_WORDS = encode(
    Termination(
        result=Result(
            language="en",
            audio_seconds=1261,
            model_sha256="ab",
            files=(ResultFile(format="txt", uri="s3://transcripts/standup/standup.txt", bytes=5),),
        )
    )
)
DONE = pod("Succeeded", exit_code=0, last_words=LAST_WORDS)
BROKEN = pod("Failed", exit_code=69)
NO_SECRET = pod("Pending", waiting=("CreateContainerConfigError", 'secret "x" not found'))


ACTIVE = {"phase": "Pending", "activeSince": "2026-11-22T12:00:00Z"}


def deadline_exceeded() -> ObservedJob:
    return replace(job(), conditions={"Failed": ("DeadlineExceeded", "Job was active longer")})


VERDICTS: list[tuple[Any, ...]] = [
    ("first visit", Observation(), ("Pending", "JobMissing")),
    ("the Job was refused", Observation(refused=Failure(reason="JobRefused", message="quota")),
     ("Pending", "JobRefused")),
    ("no pod yet", seen(job()), ("Pending", "WorkersStarting")),
    ("a pod that cannot start", seen(job(), NO_SECRET), ("Pending", "CreateContainerConfigError")),
    ("a running worker", seen(job(), pod()), ("Running", "Transcribing")),
    ("a new pod after a failed one", seen(job(), BROKEN, pod("Pending")),
     ("Running", "WorkerRestarting")),
    ("a worker that ended well beside another container that failed",
     seen(job(), pod("Failed", exit_code=0)), ("Succeeded", "Delivered")),
    ("a worker that has just ended well", seen(job(), pod("Running", running=False, exit_code=0)),
     ("Running", "Transcribing")),
    ("a final failure before the Job's condition", seen(job(), pod("Failed", exit_code=66)),
     ("Running", "Transcribing")),
    ("the Job is complete", seen(job("Complete"), DONE), ("Succeeded", "Delivered")),
    ("complete but a sibling still stops", seen(job("SuccessCriteriaMet"), DONE, pod()),
     ("Succeeded", "Delivered")),
    ("complete and the pods are gone", seen(job("Complete")), ("Succeeded", "Delivered")),
    ("suspended before it began", seen(), ("Suspended", "Suspended"), {"suspend": True}),
    ("suspended, and its pods are stopping", seen(job(suspended=True), pod()),
     ("Suspended", "Suspended"), {"suspend": True}),
    ("finished before it could be suspended", seen(job("Complete"), DONE),
     ("Succeeded", "Delivered"), {"suspend": True}),
    ("waiting for its turn", Observation(queued=3), ("Queued", "Queued")),
    ("resumed while others run", Observation(job(suspended=True), queued=1), ("Queued", "Queued")),
    ("not admitted by Kueue", seen(job(suspended=True)), ("Queued", "AwaitingAdmission"),
     {"queueName": "team-a"}),
    ("not admitted by Kueue to its default queue", seen(job(suspended=True, queue="default")),
     ("Queued", "AwaitingAdmission")),
    ("being resumed", seen(job(suspended=True, suspended_by_us=True)),
     ("Pending", "WorkersStarting")),
    ("suspended by something else", seen(job(suspended=True)), ("Suspended", "JobSuspended")),
    ("active for too long", Observation(deadline_exceeded()), ("Failed", "DeadlineExceeded"),
     {"activeDeadlineSeconds": 60}),
    ("no quota for pods",
     Observation(job(), refused=Failure(reason="QuotaExceeded", message="exceeded quota")),
     ("Pending", "QuotaExceeded")),
    ("failed for good", seen(job("FailureTarget"), pod("Failed", exit_code=65)),
     ("Failed", "MediaInvalid")),
    ("a delivered result beats siblings that failed", seen(job("Failed"), BROKEN, DONE),
     ("Succeeded", "Delivered")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("observation", "expected", "spec"),
    [(v[1], v[2], v[3] if len(v) > 3 else {}) for v in VERDICTS],
    ids=[v[0] for v in VERDICTS],
)
def test_what_is_seen_decides_phase_and_reason(observation, expected, spec):
    after = next_status(owner(**spec), observation, None, NOW)
    assert (after.phase, after.reason) == expected
    assert after.message


@pytest.mark.parametrize(
    ("observation", "true"),
    [
        (seen(job(), pod()), {"Reconciling"}),
        (seen(job("Complete"), DONE), {"Complete"}),
        (seen(job("Failed"), BROKEN), {"Failed", "Stalled"}),
        (Observation(queued=1), {"Reconciling"}),
    ],
    ids=["working", "succeeded", "failed", "queued"],
)
def test_all_conditions_are_set_from_the_first_visit_on(observation, true):
    after = next_status(owner(), observation, None, NOW)
    assert {c.type for c in after.conditions} == set(ConditionType)
    assert {c.type.value for c in after.conditions if c.status == "True"} == true
    assert after.observed_generation == 1


def test_a_condition_keeps_its_transition_time_while_its_status_stands():
    first = next_status(owner(), seen(job()), None, NOW)
    later = NOW + timedelta(minutes=5)
    second = next_status(owner(status=first.to_wire()), seen(job(), pod()), None, later)
    reconciling = second.condition(ConditionType.RECONCILING)
    assert reconciling is not None
    assert reconciling.last_transition_time == NOW
    assert reconciling.reason == "Transcribing"


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
    quota = Observation(refused=Failure(reason="JobRefused", message="exceeded quota"))
    waiting = owner(pendingDeadlineSeconds=61, status={"activeSince": "2026-11-22T11:59:00Z"})
    after = next_status(waiting, quota, None, NOW + timedelta(minutes=1))
    assert (after.phase, after.reason) == ("Failed", "JobRefused")
    assert after.message == "No worker could start within 61 s: exceeded quota"


def test_words_that_are_pages_long_are_cut_to_what_the_api_server_takes():
    pages = Observation(refused=Failure(reason="R" * 100, message="m" * 10_000))
    after = next_status(owner(), pages, None, NOW)
    assert len(after.message or "") == 4096
    assert {len(c.message) for c in after.conditions} == {4096}
    assert {len(c.reason) for c in after.conditions} == {64}


def test_the_last_words_become_the_result():
    after = next_status(owner(), seen(job("Complete", completed=NOW), DONE), None, NOW)
    assert after.result is not None
    assert after.result.uri == "s3://transcripts/standup/"
    assert after.result.manifest_uri == "s3://transcripts/standup/manifest.json"
    assert [file.uri for file in after.result.files] == ["s3://transcripts/standup/standup.txt"]
    assert after.language == "en"
    assert after.message == "Transcribed 21 min 1 s of audio to s3://transcripts/standup/"


def test_without_last_words_the_result_is_still_named():
    after = next_status(owner(), seen(job("Complete")), None, NOW)
    assert after.result is not None
    assert after.result.manifest_uri == "s3://transcripts/standup/manifest.json"
    assert "s3://transcripts/standup/manifest.json" in (after.message or "")


def many(items: int, failed: int, counts: dict[str, int] | None = None, **failure: str) -> str:
    bad = {"item": "s3://recordings/calls/a.mp3", "reason": "MediaInvalid", "message": "no audio"}
    return encode(
        Termination(
            result=Result(
                language="en",
                audio_seconds=3 * 3600 + 12 * 60 + 5,
                model_sha256="ab",
                items=items,
                items_failed=failed,
                **(counts or {}),
                failures=(ItemFailure(**bad | failure),) * min(failed, 10),
            )
        )
    )


@pytest.mark.parametrize(
    ("last_words", "expected"),
    [
        (many(1000, 2), "998 of 1000 recordings, 3 h 12 min of audio, 2 recordings failed, to"),
        (many(1000, 0), "1000 recordings, 3 h 12 min of audio, to"),
        (many(1, 0), "3 h 12 min of audio to"),
        (many(1, 0, {"warnings": 2}), "3 h 12 min of audio, 2 warnings, to"),
        (
            many(1, 0, {"warnings": 1, "suspect_segments": 1}),
            "3 h 12 min of audio, 1 warning, 1 suspect segment, to",
        ),
        (
            many(9, 3, {"items_skipped": 5, "warnings": 1, "suspect_segments": 4}),
            "1 of 4 recordings, 3 h 12 min of audio, 3 recordings failed, 5 files skipped, "
            "1 warning, 4 suspect segments, to",
        ),
        (
            many(3, 1, {"items_skipped": 1}),
            "1 of 2 recordings, 3 h 12 min of audio, 1 recording failed, 1 file skipped, to",
        ),
        (many(2, 0, {"items_skipped": 1}), "1 recording, 3 h 12 min of audio, 1 file skipped, to"),
    ],
    ids=[
        "some failed",
        "all well",
        "a prefix with one recording",
        "warnings",
        "singular",
        "everything",
        "one of each",
        "one that is new",
    ],
)
def test_the_message_counts_recordings_where_there_are_many(last_words, expected):
    done = pod("Succeeded", exit_code=0, last_words=last_words)
    after = next_status(owner(), seen(job("Complete"), done), None, NOW)
    assert after.message == f"Transcribed {expected} s3://transcripts/standup/"


def test_a_run_that_found_nothing_new_says_so():
    done = pod("Succeeded", exit_code=0, last_words=many(12, 0, {"items_skipped": 12}))
    after = next_status(owner(), seen(job("Complete"), done), None, NOW)
    assert after.message == (
        "Nothing new to transcribe, 12 files skipped, in s3://transcripts/standup/"
    )


def test_warnings_suspect_segments_and_skipped_files_are_counted_in_the_result():
    counts = {"items_skipped": 5, "warnings": 2, "suspect_segments": 7}
    done = pod("Succeeded", exit_code=0, last_words=many(9, 0, counts))
    result = next_status(owner(), seen(job("Complete"), done), None, NOW).to_wire()["result"]
    assert {name: result[name] for name in ("itemsSkipped", "warnings", "suspectSegments")} == {
        "itemsSkipped": 5,
        "warnings": 2,
        "suspectSegments": 7,
    }


def test_recordings_that_failed_are_counted_and_named():
    done = pod("Succeeded", exit_code=0, last_words=many(1000, 2))
    after = next_status(owner(), seen(job("Complete"), done), None, NOW)
    assert after.result is not None
    assert after.progress is not None
    assert (after.result.items, after.result.items_failed) == (1000, 2)
    progress = after.progress
    assert (progress.items, progress.items_done, progress.items_failed) == (1000, 1000, 2)
    assert [(f.item, f.reason, f.message) for f in after.failures] == [
        ("s3://recordings/calls/a.mp3", "MediaInvalid", "no audio")
    ] * 2


def test_what_a_recording_is_called_can_neither_fill_the_status_nor_steer_a_terminal():
    hostile = {"item": "s3://recordings/\x1b[2J", "reason": "R" * 99, "message": "m" * 2000}
    done = pod("Succeeded", exit_code=0, last_words=many(2, 1, **hostile))
    (failure,) = next_status(owner(), seen(job("Complete"), done), None, NOW).failures
    assert failure.item == "s3://recordings/\ufffd[2J"
    assert (len(failure.reason), len(failure.message)) == (64, 1024)


def test_a_single_recordings_result_counts_nothing():
    wire = next_status(owner(), seen(job("Complete"), DONE), None, NOW).to_wire()
    assert not {"items", "itemsFailed", "itemsSkipped"} & wire["result"].keys()
    assert wire["failures"] == []


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, "Loading the model"),
        ({"percent": 0}, "Loading the model"),
        ({"percent": 0, "totalSeconds": 60}, "Workers are transcribing"),
    ],
    ids=["not asked yet", "they do not know yet", "they know how much there is to do"],
)
def test_a_running_job_says_what_its_workers_are_at(progress, expected):
    running = owner(status={"progress": progress} if progress else {})
    after = next_status(running, seen(job(), pod()), None, NOW)
    assert after.reason == "Transcribing"
    assert after.message is not None
    assert after.message.startswith(expected)


def test_progress_reaches_100_only_with_success():
    running = owner(status={"progress": {"percent": 99, "totalSeconds": 1261}})
    after = next_status(running, seen(job("Complete"), DONE), None, NOW)
    assert after.progress is not None
    assert (after.progress.percent, after.progress.processed_seconds) == (100, 1261)


def test_failed_jobs_keep_the_progress_they_had():
    running = owner(status={"progress": {"percent": 40, "totalSeconds": 100}})
    after = next_status(running, seen(job("Failed"), BROKEN), None, NOW)
    assert after.progress is not None
    assert after.progress.percent == 40


def test_a_finished_status_never_changes_again():
    done = next_status(owner(), seen(job("Complete"), DONE), None, NOW)
    finished = owner(status=done.to_wire())
    assert next_status(finished, Observation(), Progress(percent=3), NOW) == finished.status


def test_a_spec_that_cannot_be_done_fails_with_the_reason():
    after = failed_status(owner(), Failure(reason="ConfigurationInvalid", message="no pool"), NOW)
    assert (after.phase, after.reason, after.message) == (
        "Failed",
        "ConfigurationInvalid",
        "no pool",
    )


def test_a_spec_that_cannot_be_done_is_told_in_what_the_api_server_takes():
    pages = Failure(reason="ConfigurationInvalid", message="m" * 10_000)
    after = failed_status(owner(), pages, NOW)
    assert len(after.message or "") == 4096
    assert {len(c.message) for c in after.conditions} == {4096}


def test_a_pod_that_waits_as_expected_costs_no_write():
    made = next_status(owner(), seen(job()), None, NOW)
    waiting = owner(status=made.to_wire())
    assert next_status(waiting, seen(job(), pod("Pending")), None, NOW) == made
    stuck = next_status(waiting, seen(job(), NO_SECRET), None, NOW)
    assert stuck.workers is not None
    assert stuck.workers.active == 1


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


def test_a_suspended_job_says_so_in_its_conditions_and_is_not_reconciling():
    after = next_status(owner(suspend=True), seen(job(suspended=True)), None, NOW)
    assert {c.type.value for c in after.conditions if c.status == "True"} == {"Suspended"}


def test_a_retried_job_keeps_its_progress_and_begins_everything_else_anew():
    failed = owner(status={"phase": "Failed", "progress": {"percent": 40, "totalSeconds": 100},
                            "completionTime": "2026-11-22T12:00:00Z", "jobName": "old",
                            "activeSeconds": 50, "workers": {"failed": 3}})  # fmt: skip
    after = retried_status(failed, "again", NOW)
    assert (after.phase, after.attempt, after.retry) == ("Pending", 2, "again")
    assert after.progress is not None
    assert after.progress.percent == 40
    assert (after.completion_time, after.job_name, after.active_seconds) == (None, None, None)


def test_a_retried_job_whose_pods_cannot_start_is_given_up_at_the_deadline():
    again = owner(
        pendingDeadlineSeconds=60,
        status={"attempt": 2, "activeSince": "2026-11-22T11:59:00Z",
                "progress": {"percent": 40, "totalSeconds": 100}},
    )  # fmt: skip
    stuck = seen(job(started=NOW - timedelta(seconds=60)), NO_SECRET)
    assert next_status(again, stuck, None, NOW).reason == "CreateContainerConfigError"
    assert next_status(again, stuck, None, NOW).phase is Phase.FAILED
