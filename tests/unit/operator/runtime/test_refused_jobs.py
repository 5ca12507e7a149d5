from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, owner
from transcription_contract.termination import Failure
from transcription_operator.runtime.refused_jobs import RefusedJobs

QUOTA = Failure(reason="JobRefused", message="exceeded quota: jobs")


class Stage:
    """Refused jobs, a clock, and the keys that were woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []
        self.jobs = RefusedJobs(self.woken.append)
        self.now = NOW

    def refuse(self, *names: str) -> list[float]:
        return [self.jobs.add(owner(name=name), QUOTA, self.now) for name in names]

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def wait(self, name: str) -> float | None:
        waiting = self.jobs.waiting(owner(name=name), self.now)
        return waiting[1] if waiting else None


def test_one_job_backs_off_up_to_a_minute():
    stage, waits = Stage(), []
    for _ in range(6):
        waits += stage.refuse("a")
        stage.pass_by(waits[-1])
    assert waits == [15, 30, 60, 60, 60, 60]


def test_of_several_one_in_turn_is_tried_every_minute_and_the_others_back_off():
    stage, tries = Stage(), dict.fromkeys("abc", 0)
    while stage.now < NOW + timedelta(hours=1):
        for name in "abc":
            if stage.wait(name) is None:
                stage.refuse(name)
                tries[name] += 1
        stage.pass_by(1)
    assert 60 <= sum(tries.values()) <= 80
    assert max(tries.values()) - min(tries.values()) <= 5


def test_a_thousand_are_tried_one_a_second():
    stage = Stage()
    names = [f"j{number}" for number in range(1000)]
    stage.refuse(*names)
    tried = 0
    while stage.now < NOW + timedelta(minutes=10):
        due = [name for name in names if stage.wait(name) is None]
        stage.refuse(*due)
        tried += len(due)
        stage.pass_by(10)
    assert tried == pytest.approx(600, rel=0.1)


def test_when_one_is_accepted_two_more_are_tried_at_once():
    stage = Stage()
    stage.refuse("a", "b", "c", "d")
    stage.jobs.accepted("media/a", stage.now)
    assert stage.woken == ["media/b", "media/c"]
    assert (stage.wait("b"), stage.wait("c")) == (None, None)
    assert stage.wait("d")
    stage.jobs.accepted("media/b", stage.now)
    assert stage.woken[2:] == ["media/d", "media/c"]


def test_a_job_of_another_namespace_wakes_nobody():
    stage = Stage()
    stage.refuse("a")
    stage.jobs.accepted("other/x", stage.now)
    assert stage.woken == []
    assert stage.wait("a") == 15


@pytest.mark.parametrize(
    "change",
    [{"generation": 2}, {"uid": "another"}],
    ids=["its spec has changed", "another of its name"],
)
def test_what_was_not_refused_is_tried_at_once(change):
    stage = Stage()
    stage.refuse("a")
    changed = owner(name="a")
    changed = changed.model_copy(update={"metadata": changed.metadata.model_copy(update=change)})
    assert stage.jobs.waiting(changed, stage.now) is None
    stage.pass_by(15)
    stage.refuse("a")
    assert stage.jobs.add(changed, QUOTA, stage.now) == 15


def test_the_refusal_is_remembered_while_it_waits():
    stage = Stage()
    stage.refuse("a")
    stage.pass_by(5)
    assert stage.jobs.waiting(owner(name="a"), stage.now) == (QUOTA, 10)


def test_another_is_tried_for_all_when_the_one_that_was_to_be_is_gone():
    stage = Stage()
    for _ in range(8):
        stage.refuse("a", "b", "c")
        stage.pass_by(300)
    stage.refuse("a", "b", "c")
    soon = [name for name in "abc" if (stage.wait(name) or 0) <= 60]
    assert len(soon) == 1
    stage.woken.clear()
    stage.jobs.forget(f"media/{soon[0]}", stage.now)
    (another,) = stage.woken
    assert stage.wait(another.removeprefix("media/")) == 60


def test_nothing_is_kept_of_what_is_gone():
    stage = Stage()
    stage.refuse("a", "b")
    stage.jobs.forget("media/a", stage.now)
    assert not stage.jobs.knows("media/a")
    stage.jobs.accepted("media/b", stage.now)
    stage.jobs.forget("media/never", stage.now)
    assert len(stage.jobs) == 0
