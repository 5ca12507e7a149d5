import pytest

from tests.unit.operator.builders import NOW, job, pod, seen
from transcription_operator.policies import lost_nodes
from transcription_operator.policies.actions import ReleasePod
from transcription_operator.policies.observation import Observation

LEFT_BEHIND = NOW - lost_nodes.LOST_AFTER
OVERDUE = [
    ("evicted from a node that does not answer", {"deletion": LEFT_BEHIND, "evicted": True}, True),
    ("deleted on a node that is not ready", {"deletion": LEFT_BEHIND, "node": "silent"}, True),
    ("deleted on a node that is well", {"deletion": LEFT_BEHIND, "node": "busy"}, False),
    ("within its grace period", {"deletion": NOW, "evicted": True}, False),
    ("not told to go", {"node": "silent"}, False),
]


@pytest.mark.parametrize(("fields", "lost"), [o[1:] for o in OVERDUE], ids=[o[0] for o in OVERDUE])
def test_a_pod_that_outlived_its_deletion_on_a_lost_node_is_released(fields, lost):
    found = Observation(job(), (pod(**fields),), silent_nodes=frozenset({"silent"}))
    expected = [ReleasePod("standup-0-abcde")] if lost else []
    assert [*lost_nodes.actions(found, NOW)] == expected


def test_a_pod_that_has_ended_needs_no_release():
    ended = pod("Failed", deletion=LEFT_BEHIND, evicted=True)
    assert [*lost_nodes.actions(seen(job(), ended), NOW)] == []


def test_where_the_settings_say_so_no_pod_is_released_nor_waited_for():
    lost = pod(deletion=LEFT_BEHIND, evicted=True, node="silent")
    found = Observation(job(), (lost,), silent_nodes=frozenset({"silent"}), may_release=False)
    assert [*lost_nodes.actions(found, NOW)] == []
    assert [*lost_nodes.waits(found, NOW)] == []
