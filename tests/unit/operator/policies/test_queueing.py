from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.operator.builders import NOW
from transcription_operator.policies.queueing import Candidate, Limits, queue


def candidate(
    key: str, *, age: int = 0, priority: int = 0, active: bool = False, namespace: str = "media"
) -> Candidate:
    created = NOW - timedelta(seconds=age)
    return Candidate(f"{namespace}/{key}", namespace, priority, created, f"uid-{key}", active)


def test_without_limits_nobody_waits():
    assert queue([candidate(str(n)) for n in range(50)], Limits()) == {}


def test_first_come_first_served():
    asking = [candidate("new"), candidate("old", age=9), candidate("oldest", age=99)]
    assert queue(asking, Limits(in_all=1)) == {"media/old": 1, "media/new": 2}


def test_a_higher_priority_goes_first_and_stops_nobody():
    asking = [candidate("runs", active=True), candidate("old", age=9), candidate("vip", priority=5)]
    assert queue(asking, Limits(in_all=2)) == {"media/old": 1}
    assert queue(asking, Limits(in_all=1)) == {"media/vip": 1, "media/old": 2}


def test_a_position_counts_those_who_stand_in_the_same_way():
    asking = [
        candidate("a", active=True),
        candidate("b", active=True, namespace="calls"),
        candidate("c", age=9),
        candidate("d", age=5),
        candidate("e", age=1, namespace="calls"),
    ]
    waiting = queue(asking, Limits(per_namespace=1))
    assert waiting == {"media/c": 1, "media/d": 2, "calls/e": 1}


def test_a_full_namespace_does_not_hold_up_another_one():
    asking = [
        candidate("a", active=True),
        candidate("b", age=9),
        candidate("c", namespace="calls"),
    ]
    assert queue(asking, Limits(per_namespace=1)) == {"media/b": 1}


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-2, 2), st.integers(0, 5), st.sampled_from("ab"))
    ),
    st.integers(0, 6),
    st.none() | st.integers(0, 3),
)
def test_limits_hold_and_positions_are_in_order(asked, in_all, per_namespace):
    asking = [
        candidate(str(n), active=active, priority=priority, age=age, namespace=namespace)
        for n, (active, priority, age, namespace) in enumerate(asked)
    ]
    waiting = queue(asking, Limits(in_all, per_namespace))
    assert all(1 <= position <= len(waiting) for position in waiting.values())
    for namespace in "ab":
        own = [waiting[key] for key in waiting if key.startswith(namespace)]
        assert per_namespace is not None or own == sorted(own)
    let_in = [each for each in asking if not each.active and each.key not in waiting]
    running = sum(each.active for each in asking)
    assert not let_in or running + len(let_in) <= in_all
    assert not {each.key for each in asking if each.active} & waiting.keys()
