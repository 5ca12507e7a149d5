from typing import Any

import pytest

from tests.unit.operator.builders import NOW, job, owner, pod, seen
from transcription_operator.policies import failures
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.policies.status import next_status

OVER = "Pod ephemeral local storage usage exceeds the total limit of containers 100Mi. "


def evicted(name: str, message: str = OVER, **fields: Any) -> ObservedPod:
    return pod("Failed", name, reason="Evicted", message=message, **fields)


def test_the_third_eviction_over_a_limit_ends_the_job_with_the_kubelets_sentence():
    twice = seen(job(), evicted("a"), evicted("b", exit_code=143), pod())
    thrice = seen(job(), evicted("a"), evicted("b", exit_code=143), evicted("c"), pod("Pending"))
    assert next_status(owner(), twice, None, NOW).phase == "Running"
    after = next_status(owner(), thrice, None, NOW)
    assert (after.phase, after.reason) == ("Failed", "Evicted")
    assert after.message == (
        "3 pods were evicted; pod c: Pod ephemeral local storage usage exceeds the total limit of "
        "containers 100Mi; raise limits.ephemeral-storage in spec.resources of a new job, in the "
        "node pool, or in the namespace's LimitRange"
    )


def test_evictions_are_counted_also_when_the_pods_are_removed_in_between():
    now = owner()
    for name in "abc":
        status = next_status(now, seen(job(), evicted(name)), None, NOW)
        now = owner(status=status.to_wire())
    assert (now.status.phase, now.status.evicted_pods) == ("Failed", ("a", "b", "c"))


def test_a_pod_is_one_eviction_however_often_it_is_seen():
    now = owner()
    for _ in range(5):
        now = owner(status=next_status(now, seen(job(), evicted("a")), None, NOW).to_wire())
    assert now.status.evicted_pods == ("a",)


def test_a_node_that_runs_out_of_memory_ends_no_job():
    pressed = [evicted(n, "low on memory", disruption="TerminationByKubelet") for n in "abcd"]
    after = next_status(owner(), seen(job(), *pressed, pod()), None, NOW)
    assert (after.phase, after.evicted_pods) == ("Running", None)


ADVICE = [
    (OVER, "limits.ephemeral-storage"),
    ('Container transcriber exceeded its local ephemeral storage limit "1Gi". ',
     "limits.ephemeral-storage"),
    ('Usage of EmptyDir volume "work" exceeds the limit "5Gi". ', "spec.limits"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "advice"), ADVICE, ids=["pod", "container", "volume"])
def test_what_to_raise_follows_from_the_limit_that_was_exceeded(message, advice):
    failure = failures.of_pod(evicted("a", message))
    assert failure is not None
    assert message.strip().rstrip(".") in failure.message
    assert advice in failure.message
