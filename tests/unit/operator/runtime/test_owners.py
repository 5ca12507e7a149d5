from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW
from transcription_api.status import wire_time
from transcription_operator.runtime.owners import Parents

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


def reconciling(truth: str) -> list[dict[str, str]]:
    return [
        {"type": "Complete", "status": "True", "lastTransitionTime": CREATED},
        {"type": "Reconciling", "status": truth, "lastTransitionTime": LET_GO},
    ]


def minutes(parents: Parents) -> dict[str, float]:
    return {phase: seconds / 60 for phase, seconds in parents.longest().items()}


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
    parents = Parents(Clock())
    parents.put(found)
    assert minutes(parents) == waits


def test_a_phase_begins_when_it_is_first_seen_and_lasts_while_it_does_not_change():
    clock = Clock()
    parents = Parents(clock)
    parents.put(job(1))
    clock.minutes = 31
    parents.put(job(2, "Queued"))
    clock.minutes = 35
    parents.put(job(3, "Queued", queuePosition=2))
    assert minutes(parents) == {"Queued": 4}
    parents.put(job(4, "Pending", activeSince=ACTIVE))
    clock.minutes = 36
    assert minutes(parents) == {"Pending": 1}


def test_a_new_object_of_an_old_ones_name_has_a_wait_of_its_own():
    parents = Parents(Clock())
    parents.put(job(1))
    following = job(2, "Pending", activeSince=ACTIVE)
    following["metadata"]["uid"] = "another"
    parents.put(following)
    assert minutes(parents) == {"Pending": 10}


def test_the_longest_counts_and_goes_with_its_object():
    parents = Parents(Clock())
    parents.put(job())
    parents.put(job(name="other", phase="Pending", activeSince=ACTIVE))
    assert minutes(parents) == {"Pending": 30}
    parents.remove(job())
    assert minutes(parents) == {"Pending": 10}
    parents.drop("media/other", 1)
    assert minutes(parents) == {}


def test_clocks_that_disagree_make_no_wait_of_less_than_nothing():
    clock = Clock()
    clock.minutes = -1
    parents = Parents(clock)
    parents.put(job())
    assert minutes(parents) == {"Pending": 0}
