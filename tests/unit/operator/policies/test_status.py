from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from tests.unit.operator.endings import BROKEN, DONE, many
from transcription_api.progress import Progress
from transcription_api.status import ConditionType
from transcription_contract.termination import (
    Failure,
)
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.status import failed_status, next_status, retried_status


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
