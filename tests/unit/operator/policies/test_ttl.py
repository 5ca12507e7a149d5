from datetime import timedelta

from tests.unit.operator.builders import NOW, owner, seen
from transcription_operator.policies import decide, ttl
from transcription_operator.policies.actions import DeleteOwner

FAILED = {"phase": "Failed", "completionTime": "2026-11-22T11:00:00Z"}


def test_a_finished_job_expires_after_its_ttl_and_one_without_never():
    ended = {"phase": "Succeeded", "completionTime": "2026-11-22T12:00:00Z"}
    assert ttl.expires(owner(status=ended, ttlSecondsAfterFinished=60)) == NOW + timedelta(
        seconds=60
    )
    assert ttl.expires(owner(status=ended)) is None


def test_a_retry_that_was_asked_for_wins_over_the_ttl():
    over = owner(status=FAILED, ttlSecondsAfterFinished=60)
    asked = owner(
        status=FAILED, ttlSecondsAfterFinished=60, annotations={"transcription.dev/retry": "1"}
    )
    assert decide.actions(over, seen(), NOW) == [DeleteOwner()]
    assert decide.actions(asked, seen(), NOW) == []
