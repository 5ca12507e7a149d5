from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW, job, pod, seen
from transcription_operator.policies import lost_nodes
from transcription_operator.policies.actions import EndPod
from transcription_operator.policies.observation import Observation

LEFT_BEHIND = NOW - lost_nodes.LOST_AFTER
LONG_GONE = NOW - lost_nodes.EVICTED_AFTER
FAST_CLOCK = timedelta(seconds=45)
GRACE = timedelta(seconds=30)
EVICTED = {"disruption": "DeletionByTaintManager"}
OVERDUE = [
    ("evicted from a node that does not answer", "silent", {"deletion": LEFT_BEHIND, **EVICTED},
     True),
    ("deleted on a node that is not ready", "silent", {"deletion": LEFT_BEHIND}, True),
    ("deleted on a node that is well", "busy", {"deletion": LONG_GONE}, False),
    ("evicted from a node in maintenance, which is well", "busy",
     {"deletion": LONG_GONE, **EVICTED}, False),
    ("evicted, its node not ours to see", "unknown", {"deletion": LONG_GONE, **EVICTED}, True),
    ("the same, a moment after its grace", "unknown", {"deletion": LEFT_BEHIND, **EVICTED}, False),
    ("evicted just now, by a clock that is fast", "unknown",
     {"deletion": NOW - FAST_CLOCK + GRACE, **EVICTED}, False),
    ("deleted, its node not ours to see", "unknown", {"deletion": LONG_GONE}, False),
    ("within its grace period", "silent", {"deletion": NOW, **EVICTED}, False),
    ("not told to go", "silent", {}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "fields", "lost"), [o[1:] for o in OVERDUE], ids=[o[0] for o in OVERDUE]
)
def test_a_pod_that_outlived_its_deletion_on_a_lost_node_is_ended(node, fields, lost):
    found = Observation(
        job(),
        (pod(node=node, **fields),),
        silent_nodes=frozenset({"silent"}),
        unknown_nodes=frozenset({"unknown"}),
    )
    ended = [(each.name, each.phase, each.reason) for each in lost_nodes.actions(found, NOW)]
    assert ended == ([("standup-0-abcde", "Failed", "NodeLost")] if lost else [])


def test_the_words_about_a_lost_pod_say_only_what_is_known():
    evicted = pod(node="n1", deletion=LONG_GONE, **EVICTED)
    of_silent = Observation(job(), (evicted,), silent_nodes=frozenset({"n1"}))
    of_unknown = Observation(job(), (evicted,), unknown_nodes=frozenset({"n1"}))
    assert [each.message for each in lost_nodes.actions(of_silent, NOW)] == [
        "Node n1 is not ready, and the pod outlived its deletion"
    ]
    assert [*lost_nodes.actions(of_unknown, NOW)] == [
        EndPod(evicted.name, "Failed", "The pod outlived its eviction from node n1", "NodeLost")
    ]


def test_a_pod_that_has_ended_needs_no_release():
    ended = pod("Failed", deletion=LEFT_BEHIND, **EVICTED)
    assert [*lost_nodes.actions(seen(job(), ended), NOW)] == []


def test_where_the_settings_say_so_no_pod_is_released_nor_waited_for():
    lost = pod(deletion=LEFT_BEHIND, node="silent")
    found = Observation(job(), (lost,), silent_nodes=frozenset({"silent"}), may_release=False)
    assert [*lost_nodes.actions(found, NOW)] == []
    assert [*lost_nodes.waits(found, NOW)] == []
