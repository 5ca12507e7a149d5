from dataclasses import replace
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from tests.unit.operator.endings import BROKEN, DONE, NO_SECRET, many
from transcription_contract.termination import (
    Failure,
)
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.status import next_status


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
