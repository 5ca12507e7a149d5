import pytest

from tests.unit.operator.builders import NOW, owner
from transcription_api.status import Phase, Status
from transcription_operator.policies.events import EventDraft, manifest, of_change

NEW = Status()
CREATED = Status(job_name="j", phase=Phase.PENDING, reason="WorkersStarting", message="…")
STUCK = Status(job_name="j", phase=Phase.PENDING, reason="ImagePullBackOff", message="no image")
RUNNING = Status(job_name="j", phase=Phase.RUNNING, reason="Transcribing", message="…")
DONE = Status(job_name="j", phase=Phase.SUCCEEDED, reason="Delivered", message="Transcribed 3 s")
PAUSED = Status(job_name="j", phase=Phase.SUSPENDED, reason="Suspended", message="…")
AGAIN = Status(phase=Phase.PENDING, reason="Retrying", message="…")
FAILED = Status(job_name="j", phase=Phase.FAILED, reason="SourceNotFound", message="s3://x: none")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NEW, CREATED, []),
        (CREATED, STUCK, [("Warning", "ImagePullBackOff")]),
        (STUCK, RUNNING, []),
        (RUNNING, PAUSED, [("Normal", "Suspended")]),
        (FAILED, AGAIN, [("Normal", "Retrying")]),
        (RUNNING, DONE, [("Normal", "Succeeded")]),
        (RUNNING, FAILED, [("Warning", "SourceNotFound")]),
        (RUNNING, RUNNING, []),
    ],
    ids=["created", "stuck", "started", "paused", "tried again", "done", "failed", "nothing new"],
)
def test_a_change_of_status_tells_what_happened(before, after, expected):
    assert [(draft.kind, draft.reason) for draft in of_change(before, after)] == expected


def test_an_event_points_at_the_resource_and_fits_the_api_servers_limit():
    event = manifest(owner(), EventDraft("Warning", "X", "y" * 5000), NOW)
    assert event["involvedObject"]["name"] == "standup"
    assert event["involvedObject"]["kind"] == "TranscriptionJob"
    assert len(event["message"]) == 1024
