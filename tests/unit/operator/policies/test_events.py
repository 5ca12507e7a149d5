import re
from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, owner
from transcription_api.status import Phase, Status
from transcription_operator.policies.events import EventDraft, manifest, name_of, of_change

NEW = Status()
CREATED = Status(job_name="j", phase=Phase.PENDING, reason="WorkersStarting", message="…")
STUCK = Status(job_name="j", phase=Phase.PENDING, reason="ImagePullBackOff", message="no image")
RUNNING = Status(job_name="j", phase=Phase.RUNNING, reason="Transcribing", message="…")
DONE = Status(job_name="j", phase=Phase.SUCCEEDED, reason="Delivered", message="Transcribed 3 s")
PAUSED = Status(job_name="j", phase=Phase.SUSPENDED, reason="Suspended", message="…")
AGAIN = Status(phase=Phase.PENDING, reason="Retrying", message="…")
FAILED = Status(job_name="j", phase=Phase.FAILED, reason="SourceNotFound", message="s3://x: none")

GIVEN_UP = Status(job_name="j", phase=Phase.FAILED, reason="JobMissing", message="…")
FENCED = Status(job_name="j", phase=Phase.PENDING, reason="HeldByFence", message="…")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NEW, CREATED, None),
        (CREATED, STUCK, ("Warning", "ImagePullBackOff")),
        (STUCK, RUNNING, None),
        (RUNNING, PAUSED, ("Normal", "Suspended")),
        (FAILED, AGAIN, ("Normal", "Retrying")),
        (RUNNING, DONE, ("Normal", "Succeeded")),
        (RUNNING, FAILED, ("Warning", "SourceNotFound")),
        (CREATED, GIVEN_UP, ("Warning", "JobMissing")),
        (CREATED, FENCED, ("Warning", "HeldByFence")),
        (RUNNING, RUNNING, None),
    ],
    ids=["created", "stuck", "started", "paused", "tried again", "done", "failed",
         "failed with the reason of a job that starts", "a plugin's word", "nothing new"],
)  # fmt: skip
def test_a_change_of_status_tells_what_happened(before, after, expected):
    draft = of_change(before, after)
    assert (draft and (draft.kind, draft.reason)) == expected


def test_an_event_is_about_the_resource_and_has_all_that_the_api_server_requires():
    event = manifest(owner(), EventDraft("Warning", "X", "y"), NOW, "operator-1")
    assert event["regarding"]["name"] == "standup"
    assert event["regarding"]["kind"] == "TranscriptionJob"
    assert event["regarding"]["namespace"] == event["metadata"]["namespace"]
    assert event["eventTime"] == "2026-11-22T12:00:00.000000Z"
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "X", "y")
    assert event["action"]
    assert event["reportingController"] == "transcription.dev/operator"
    assert event["reportingInstance"] == "operator-1"


def test_an_event_fits_the_api_servers_limits_which_count_bytes():
    event = manifest(owner(), EventDraft("Warning", "X", "ü" * 5000), NOW, "i" * 253)
    assert 1020 < len(event["note"].encode()) <= 1024
    assert len(event["reportingInstance"]) == 128


@pytest.mark.parametrize("name", ["standup", "a" * 199 + ".b", "x" * 253])
def test_an_events_name_is_a_dns_subdomain_and_of_its_time(name):
    found = name_of(owner(name=name), NOW)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]+)*", found)
    assert len(found) <= 253
    assert found != name_of(owner(name=name), NOW + timedelta(microseconds=1))
