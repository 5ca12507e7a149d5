from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, keep, lose
from transcription_api.texts import wire_time
from transcription_operator.policies import operator_class
from transcription_operator.runtime.owners import Owners

CREATED, LET_GO, ACTIVE = (wire_time(NOW + timedelta(minutes=m)) for m in (0, 10, 20))
BEGAN = NOW.timestamp()


class Clock:
    """Minutes after the creation of what the tests look at."""

    minutes = 30.0

    def __call__(self) -> float:
        return BEGAN + 60 * self.minutes


def job(version: int = 1, phase: str | None = None, name: str = "standup", **status: Any) -> Any:
    return {
        "metadata": {
            "name": name,
            "namespace": "media",
            "uid": name,
            "resourceVersion": str(version),
            "creationTimestamp": CREATED,
        },
        "spec": {},
        "status": {"phase": phase, **status} if phase else {},
    }


def reconciling(truth: str) -> list[dict[str, Any]]:
    common = {"reason": "X", "observedGeneration": 1}
    return [
        {"type": "Complete", "status": "True", "lastTransitionTime": CREATED, **common},
        {"type": "Reconciling", "status": truth, "lastTransitionTime": LET_GO, **common},
    ]


def minutes(owners: Owners) -> dict[str, float]:
    return {phase: seconds / 60 for phase, seconds in owners.longest().items()}


@pytest.mark.parametrize(
    ("found", "waits"),
    [
        (job(), {"Pending": 30}),
        (job(phase="Queued"), {"Queued": 30}),
        (job(phase="Queued", conditions=reconciling("True")), {"Queued": 20}),
        (job(phase="Queued", conditions=reconciling("False")), {"Queued": 30}),
        (
            job(phase="Pending", conditions=reconciling("True"), activeSince=ACTIVE),
            {"Pending": 10},
        ),
        (job(phase="Pending", activeSince=ACTIVE, runningSince=ACTIVE), {"Pending": 0}),
    ],
    ids=[
        "new",
        "queued",
        "queued after a suspension",
        "queued, of an odd past",
        "out of the queue",
        "again, after it ran",
    ],
)
def test_an_operator_that_starts_knows_since_when_a_job_waits(found, waits):
    owners = Owners(Clock())
    keep(owners, found)
    assert minutes(owners) == waits


def test_a_phase_begins_when_it_is_first_seen_and_lasts_while_it_does_not_change():
    clock = Clock()
    owners = Owners(clock)
    keep(owners, job(1))
    clock.minutes = 31
    keep(owners, job(2, "Queued"))
    clock.minutes = 35
    keep(owners, job(3, "Queued", queuePosition=2))
    assert minutes(owners) == {"Queued": 4}
    keep(owners, job(4, "Pending", activeSince=ACTIVE))
    clock.minutes = 36
    assert minutes(owners) == {"Pending": 1}


def test_a_new_object_of_an_old_ones_name_has_a_wait_of_its_own():
    owners = Owners(Clock())
    keep(owners, job(1))
    following = job(2, "Pending", activeSince=ACTIVE)
    following["metadata"]["uid"] = "another"
    keep(owners, following)
    assert minutes(owners) == {"Pending": 10}


def test_the_longest_counts_and_goes_with_its_object():
    owners = Owners(Clock())
    keep(owners, job())
    keep(owners, job(name="other", phase="Pending", activeSince=ACTIVE))
    assert minutes(owners) == {"Pending": 30}
    lose(owners)
    assert minutes(owners) == {"Pending": 10}
    owners.drop("media/other", 1)
    assert minutes(owners) == {}


def test_clocks_that_disagree_make_no_wait_of_less_than_nothing():
    clock = Clock()
    clock.minutes = -1
    owners = Owners(clock)
    keep(owners, job())
    assert minutes(owners) == {"Pending": 0}


def of_class(version: int, name: str | None) -> dict[str, Any]:
    return job(version) | {"spec": {"operatorClassName": name} if name else {}}


@pytest.mark.parametrize(
    ("operator", "named", "kept"),
    [
        ("", None, True),
        ("", "research", False),
        ("research", None, False),
        ("research", "research", True),
        ("research", "press", False),
    ],
)
def test_a_job_of_another_operators_class_is_not_even_kept(operator, named, kept):
    owners = Owners(is_ours=partial(operator_class.is_ours, class_name=operator))
    keep(owners, of_class(1, named))
    assert owners.all() == (["media/standup"] if kept else [])


def test_a_namespace_that_is_no_longer_watched_is_forgotten_and_no_other():
    owners = Owners()
    keep(owners, job())
    elsewhere = job(2)
    elsewhere["metadata"]["namespace"] = "media-archive"
    keep(owners, elsewhere)
    assert owners.drop_namespace("media") == ["media/standup"]
    assert owners.all() == ["media-archive/standup"]


def phases_after(*answers: dict[str, Any]) -> dict[str, int]:
    owners = Owners(Clock())
    keep(owners, job(2, "Pending"))
    for answer in answers:
        owners.learn(answer)
    return owners.phases()


def test_an_answer_is_known_before_the_watch_tells_of_it_unless_that_was_quicker():
    assert phases_after(job(3, "Running")) == {"Running": 1}
    assert phases_after(job(1, "Queued")) == {"Pending": 1}
    assert phases_after(job(2, "Queued")) == {"Pending": 1}


def test_an_answer_does_not_bring_a_deleted_object_back():
    owners = Owners(Clock())
    keep(owners, job(1))
    lose(owners)
    owners.learn(job(2, "Running"))
    assert owners.all() == []


def test_an_answer_of_an_old_object_does_not_replace_the_new_one_of_its_name():
    following = job(3, "Running")
    following["metadata"]["uid"] = "another"
    assert phases_after(following) == {"Pending": 1}


def test_what_the_watch_tells_of_an_answer_is_what_is_known_already():
    owners = Owners(Clock())
    keep(owners, job(1))
    owners.learn(job(2, "Running"))
    assert owners.parse(job(2, "Running")) is owners.store.get("media/standup")


def test_only_those_labels_and_annotations_are_kept_that_reach_a_jobs_pods():
    owners = Owners(labels=("team",), annotations=("example.com/*",))
    found = job()
    found["metadata"] |= {
        "labels": {"team": "media", "tier": "gold"},
        "annotations": {
            "example.com/cost": "7",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "transcription.dev/retry": "1",
        },
    }
    keep(owners, found)
    kept = owners.raw("media/standup")
    assert kept["metadata"]["labels"] == {"team": "media"}
    assert kept["metadata"]["annotations"] == {
        "example.com/cost": "7",
        "transcription.dev/retry": "1",
    }
