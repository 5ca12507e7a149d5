"""Jobs that the operator's first version suspended, without an annotation."""

from typing import Any

import pytest

from tests.unit.operator.builders import UID, controlled_by, owner, settings
from transcription_operator.policies import suspension
from transcription_operator.policies.job import desired_job
from transcription_operator.policies.observation import ObservedJob

FIRST_POLICY = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [65]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
}


def made(**spec: Any) -> ObservedJob:
    """A Job as the operator makes it now, but for some fields of its spec."""
    manifest = desired_job(owner(), settings(), 1)
    manifest["metadata"] |= {
        "uid": "job-uid",
        "ownerReferences": controlled_by(UID, "TranscriptionJob", "transcription.dev/v1alpha1"),
    }
    return ObservedJob.parse({**manifest, "spec": manifest["spec"] | spec})


@pytest.mark.parametrize(
    ("job", "held_back", "suspend"),
    [
        (made(suspend=True, podFailurePolicy=FIRST_POLICY), False, False),
        (made(suspend=True, podFailurePolicy=FIRST_POLICY), True, None),
        (made(podFailurePolicy=FIRST_POLICY), False, None),
        (made(podFailurePolicy=FIRST_POLICY), True, True),
        (made(suspend=True), False, None),
    ],
    ids=[
        "resumed after an upgrade",
        "still held back after an upgrade",
        "at work through an upgrade",
        "suspended after an upgrade",
        "of this version, suspended by somebody else",
    ],
)
def test_a_job_that_the_first_version_suspended_is_resumed_by_this_one(job, held_back, suspend):
    assert suspension.change(job, held_back=held_back) is suspend
    assert not suspension.is_overruled(job)
