from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, seen
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies import decide, ttl
from transcription_operator.policies.actions import DeleteJob, DeleteOwner
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.ttl import Retention

ENDED = "2026-11-22T12:00:00Z"
THERE = seen(job("Complete"))
CHILD = DeleteJob("standup-1a2b3c4d-1", "job-uid")


def finished(phase: str = "Succeeded", **spec: Any) -> TranscriptionJob:
    return owner(status={"phase": phase, "completionTime": ENDED}, **spec)


def later(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


EXPIRES = [
    ("as it says", {"ttlSecondsAfterFinished": 60}, Retention(), 60),
    ("never, as nobody says", {}, Retention(), None),
    ("as the settings say", {}, Retention(owner=90), 90),
    ("as it says, not the settings", {"ttlSecondsAfterFinished": 60}, Retention(owner=90), 60),
    ("at once", {"ttlSecondsAfterFinished": 0}, Retention(owner=90), 0),
    ("as good as never", {"ttlSecondsAfterFinished": 2**31 - 1}, Retention(owner=90), 2**31 - 1),
]


@pytest.mark.parametrize(
    ("spec", "retention", "after"), [e[1:] for e in EXPIRES], ids=[e[0] for e in EXPIRES]
)
def test_a_finished_job_expires(spec, retention, after):
    expected = None if after is None else later(after)
    assert ttl.expires(finished(**spec), retention) == expected


AFTER_THE_END = [
    ("before either time", Retention(owner=90, child=60), 59, THERE, []),
    ("the child's time is over", Retention(owner=90, child=60), 60, THERE, [CHILD]),
    ("the child is gone", Retention(owner=90, child=60), 61, Observation(), []),
    ("both times are over", Retention(owner=90, child=60), 90, THERE, [DeleteOwner()]),
    ("the child stays for ever", Retention(), 10**9, THERE, []),
]


@pytest.mark.parametrize(
    ("retention", "passed", "there", "expected"),
    [a[1:] for a in AFTER_THE_END],
    ids=[a[0] for a in AFTER_THE_END],
)
@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_after_the_end_the_child_goes_first_and_is_never_made_again(
    phase, retention, passed, there, expected
):
    assert decide.actions(finished(phase), there, later(passed), retention) == expected


WAITS = [
    ("for the child", Retention(owner=90, child=60), THERE, 10, 50),
    ("for the job, once the child is gone", Retention(owner=90, child=60), Observation(), 10, 80),
    ("for nothing", Retention(), THERE, 10, None),
    ("a while, when no watch reports the deletion", Retention(child=60), THERE, 70, 15),
]


@pytest.mark.parametrize(
    ("retention", "there", "passed", "seconds"), [w[1:] for w in WAITS], ids=[w[0] for w in WAITS]
)
def test_a_finished_job_waits(retention, there, passed, seconds):
    ended = finished()
    waits = decide.again_after(ended, ended.status, there, later(passed), 300.0, retention)
    assert waits == seconds


def test_a_job_that_has_not_ended_keeps_its_child_whatever_the_settings_say():
    running = owner(status={"phase": "Running", "activeSince": ENDED})
    assert decide.actions(running, THERE, later(10**6), Retention(child=0)) == []


def test_a_retry_that_was_asked_for_wins_over_the_ttl():
    over = finished("Failed", ttlSecondsAfterFinished=60)
    asked = owner(
        status={"phase": "Failed", "completionTime": ENDED},
        ttlSecondsAfterFinished=60,
        annotations={"transcription.dev/retry": "1"},
    )
    assert decide.actions(over, seen(), later(61)) == [DeleteOwner()]
    assert decide.actions(asked, seen(), later(61)) == []
