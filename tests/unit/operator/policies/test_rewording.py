from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW
from transcription_api.status import Condition, ConditionType, Phase, Status, Workers
from transcription_operator.policies.rewording import RECOUNTED, REWORDED, wait

LATER = NOW + timedelta(seconds=10)
FULL = "0/50 nodes are available: 38 Insufficient cpu, 12 node(s) had untolerated taint {gpu: }."
FULLER = "0/51 nodes are available: 12 node(s) had untolerated taint {gpu: }, 39 Insufficient cpu."
OTHER = "0/50 nodes are available: 50 Insufficient memory."
BARE = 'pod p: Back-off pulling image "x"'


def pending(message: str = FULL, **fields) -> Status:
    condition = Condition(
        type=ConditionType.RECONCILING, status="True", reason="Unschedulable", message=message,
        observed_generation=1, last_transition_time=NOW,
    )  # fmt: skip
    values = {
        "observed_generation": 1, "phase": Phase.PENDING, "reason": "Unschedulable",
        "conditions": (condition,), "workers": Workers(active=0), **fields,
    }  # fmt: skip
    return Status(message=message, **values)


CHANGES = [
    ("numbers and the order that follows from them", pending(FULLER), RECOUNTED),
    ("other words", pending(OTHER), REWORDED),
    ("and as many active pods", pending(OTHER, workers=Workers(active=2)), REWORDED),
    ("another reason", pending(OTHER, reason="SchedulingGated"), None),
    ("another phase", pending(OTHER, phase=Phase.FAILED), None),
    ("another generation", pending(OTHER, observed_generation=2), None),
    ("a field beside the message", pending(OTHER, attempt=2), None),
    ("no message at all", pending(attempt=2), None),
]


@pytest.mark.parametrize(("after", "pause"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_only_a_new_message_of_the_same_state_waits(after, pause):
    left = wait(pending(), after, NOW, LATER)
    assert left == (pause and pause.total_seconds() - 10)


def test_a_message_that_has_waited_is_written():
    assert wait(pending(), pending(OTHER), NOW, NOW + REWORDED) is None
    assert wait(pending(), pending(FULLER), NOW, NOW + RECOUNTED) is None


def test_after_a_restart_of_the_operator_a_message_is_written():
    assert wait(pending(), pending(FULLER), None, LATER) is None


@pytest.mark.parametrize("written", [None, NOW], ids=["restarted", "written an hour ago"])
def test_a_back_off_without_its_cause_never_replaces_the_cause(written):
    past = pending("pod p: x: not found", reason="ImagePullBackOff")
    after = pending(BARE, reason="ImagePullBackOff")
    assert wait(past, after, written, NOW + timedelta(hours=1)) == RECOUNTED.total_seconds()
