from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from tests.unit.operator.endings import NO_SECRET
from transcription_api.status import Workers
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.status import next_status


def of(index: int, phase: str = "Running", **fields: Any) -> ObservedPod:
    """A pod of a worker; its name is that of its index and its predecessors."""
    before = fields.get("failures", 0) + fields.get("interruptions", 0)
    return pod(phase, f"standup-{index}-{before}", index=index, **fields)


def broken(index: int, **fields: Any) -> ObservedPod:
    return of(index, "Failed", exit_code=69, **fields)


def stopped(index: int, **fields: Any) -> ObservedPod:
    return of(index, "Failed", exit_code=143, **fields)


COUNTS = [
    ("at work", [of(0), of(1)], {"active": 2}),
    ("failed, nothing has come for it yet", [broken(0), of(1)], {"active": 1, "failed": 1}),
    ("replaced", [broken(0), of(0, failures=1)], {"active": 1, "failed": 1, "retried": 1}),
    ("the earlier pods were removed", [broken(0, failures=2)], {"failed": 3, "retried": 2}),
    ("two workers, both replaced", [of(0, failures=1), of(1, "Pending", failures=2)],
     {"active": 2, "failed": 3, "retried": 3}),
    ("deleted", [stopped(0), of(1)], {"active": 1, "interrupted": 1}),
    ("deleted twice and gone", [of(0, interruptions=2)], {"active": 1, "interrupted": 2}),
    ("preempted", [of(0, "Failed", exit_code=137, disruption="PreemptionByScheduler")],
     {"interrupted": 1}),
    ("killed", [of(0, "Failed", exit_code=137)], {"failed": 1}),
    ("failed for good while its node was drained",
     [of(0, "Failed", exit_code=65, disruption="EvictionByEvictionAPI")], {"failed": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("pods", "expected"), [c[1:] for c in COUNTS], ids=[c[0] for c in COUNTS])
def test_pods_are_counted_by_what_each_knows_of_those_before_it(pods, expected):
    after = next_status(owner(workers=2), seen(job(workers=2), *pods), None, NOW)
    assert after.workers == Workers(**expected)


def test_workers_that_were_seen_to_fail_stay_counted():
    before = next_status(owner(), seen(job(), broken(0), of(1)), None, NOW)
    after = next_status(owner(status=before.to_wire()), seen(job(), of(1)), None, NOW)
    assert after.workers is not None
    assert (after.workers.active, after.workers.failed) == (1, 1)


def test_nothing_is_active_when_a_job_has_ended_though_others_still_stop():
    done = of(0, "Succeeded", exit_code=0)
    after = next_status(owner(), seen(job("SuccessCriteriaMet"), done, of(1)), None, NOW)
    assert after.workers == Workers(active=0, succeeded=1)


def test_a_worker_that_succeeds_after_the_end_is_counted_once_and_for_all():
    met = seen(job("SuccessCriteriaMet"), of(0, "Succeeded", exit_code=0), of(1))
    ended = next_status(owner(), met, None, NOW)
    complete = seen(job("Complete", succeeded=2))
    later = next_status(owner(status=ended.to_wire()), complete, None, NOW)
    assert later.workers == Workers(active=0, succeeded=2)
    finished = owner(status=later.to_wire())
    assert next_status(finished, complete, None, NOW) == finished.status
    assert next_status(finished, Observation(), None, NOW) == finished.status


def test_pods_that_wait_for_a_node_after_a_drain_are_active_one_after_the_other():
    past = owner(workers=2)
    waiting = ("Unschedulable", "0/2 nodes are available")
    pending = [of(index, "Pending", unscheduled=waiting, interruptions=1) for index in (0, 1)]
    for number in (1, 2):
        after = next_status(past, seen(job(workers=2), *pending[:number]), None, NOW)
        assert after.workers == Workers(active=number, interrupted=number)
        past = owner(workers=2, status=after.to_wire())


def test_a_pod_that_waits_as_expected_costs_no_write():
    made = next_status(owner(), seen(job()), None, NOW)
    waiting = owner(status=made.to_wire())
    assert next_status(waiting, seen(job(), pod("Pending")), None, NOW) == made
    stuck = next_status(waiting, seen(job(), NO_SECRET), None, NOW)
    assert stuck.workers is not None
    assert stuck.workers.active == 1
