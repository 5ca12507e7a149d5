from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.builders import NOW, UID, job, owner
from transcription_api.reading import Unreadable
from transcription_api.status import EXACT_POSITIONS, Phase, Status
from transcription_api.texts import wire_time
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.policies.queueing import (
    STUCK_AFTER,
    candidate_of,
    reported,
    waits,
)
from transcription_operator.policies.status import next_status

BEGUN = {"phase": "Pending", "jobName": "j"}
LONG_AGO = NOW - STUCK_AFTER
SPEC_UNREADABLE = {"phase": "Failed", "reason": "SpecUnreadable"}
WANTS = [
    ("new", {}, {}, None, False),
    ("its Job was just created", {}, {}, job(), True),
    ("its Job is still suspended", {}, {"phase": "Queued"}, job(suspended=True), False),
    ("its Job has been deleted by somebody", {}, BEGUN, None, True),
    ("another's Job has the name", {}, {}, replace(job(), owner_uid="other"), False),
    ("its Job was refused", {}, {"phase": "Pending"}, None, False),
    ("readable again, and its Job works", {}, SPEC_UNREADABLE, job(), True),
    ("suspended", {"suspend": True}, {}, job(), None),
    ("Kueue's", {"queueName": "team-a"}, {}, job(), None),
    ("in Kueue's default queue", {}, {}, job(suspended=True, queue="default"), None),
    ("succeeded", {}, {"phase": "Succeeded"}, job("Complete"), None),
]


@pytest.mark.parametrize(
    ("spec", "status", "child", "active"), [w[1:] for w in WANTS], ids=[w[0] for w in WANTS]
)
def test_what_a_job_wants_of_the_queue(
    spec: dict[str, Any], status: dict[str, Any], child: ObservedJob | None, active: bool | None
):
    found = candidate_of(owner(status, **spec), child, NOW, NOW)
    assert (found.active if found else None) is active


def test_a_job_that_is_being_deleted_wants_nothing():
    metadata = owner().metadata.model_copy(update={"deletion_timestamp": NOW})
    going = owner().model_copy(update={"metadata": metadata})
    assert candidate_of(going, job(), NOW, NOW) is None


def test_the_workers_of_a_job_that_cannot_be_read_hold_a_slot():
    readable = owner()
    unread = Unreadable(metadata=readable.metadata, status=readable.status, problem="spec.x: y")
    assert candidate_of(unread, None, NOW, NOW) is None
    held = candidate_of(unread, job(), NOW, NOW)
    assert held is not None
    assert held.active


LET_GO = {**BEGUN, "activeSince": wire_time(LONG_AGO)}
STUCK = [
    ("its pods do not start", LET_GO, NOW, True),
    ("since a moment", BEGUN | {"activeSince": wire_time(NOW)}, LONG_AGO, False),
    ("it was created long ago and never let go", BEGUN, NOW, False),
    ("it works", {**LET_GO, "phase": "Running", "runningSince": wire_time(LONG_AGO)}, LONG_AGO,
     False),
    ("no new pod has started for long", {**LET_GO, "runningSince": wire_time(LONG_AGO)}, LONG_AGO,
     True),
    ("no new pod has started yet", {**LET_GO, "runningSince": wire_time(LONG_AGO)}, NOW, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "since", "stuck"), [s[1:] for s in STUCK], ids=[s[0] for s in STUCK]
)
def test_a_job_is_stuck_while_its_pods_have_not_started_for_minutes(status, since, stuck):
    found = candidate_of(owner(status), job(), since, NOW)
    assert found is not None
    assert found.stuck is stuck


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Status(phase=Phase.PENDING, active_since=NOW - timedelta(minutes=1)), [240]),
        (Status(phase=Phase.PENDING, active_since=LONG_AGO), []),
        (Status(phase=Phase.RUNNING, active_since=NOW), []),
        (Status(phase=Phase.PENDING), []),
    ],
    ids=["pending", "stuck", "running", "never let go"],
)
def test_a_pending_job_is_looked_at_when_it_may_be_stuck(after, expected):
    assert list(waits(after, NOW)) == expected


@pytest.mark.parametrize(
    ("position", "status"),
    [(1, 1), (10, 10), (11, 20), (20, 20), (21, 50), (51, 100), (101, 200), (1000, 1000),
     (1001, 2000), (4242, 5000), (10_001, 20_000)],
)  # fmt: skip
def test_positions_far_behind_are_rounded_up(position, status):
    assert reported(position) == status


def test_a_position_changes_nothing_but_its_own_field():
    tenth = next_status(owner(), Observation(queued=EXACT_POSITIONS), None, NOW).to_wire()
    later = next_status(owner(), Observation(queued=EXACT_POSITIONS + 1), None, NOW).to_wire()
    assert (tenth.pop("queuePosition"), later.pop("queuePosition")) == (10, 20)
    assert tenth == later


def test_the_candidate_is_the_one_of_that_uid():
    found = candidate_of(owner(), None, NOW, NOW)
    assert found is not None
    assert (found.key, found.namespace, found.uid) == ("media/standup", "media", UID)
