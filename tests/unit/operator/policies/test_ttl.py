from datetime import timedelta

from tests.unit.operator.builders import NOW, owner
from transcription_operator.policies import ttl


def test_a_finished_job_expires_after_its_ttl_and_one_without_never():
    ended = {"phase": "Succeeded", "completionTime": "2026-11-22T12:00:00Z"}
    assert ttl.expires(owner(status=ended, ttlSecondsAfterFinished=60)) == NOW + timedelta(
        seconds=60
    )
    assert ttl.expires(owner(status=ended)) is None
