import time
from dataclasses import replace
from datetime import timedelta
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.operator.builders import NOW
from transcription_operator.policies.queueing import reported
from transcription_operator.policies.slots import Candidate, Limits, Slots


def candidate(
    key: str,
    *,
    age: int = 0,
    priority: int = 0,
    active: bool = False,
    stuck: bool = False,
    namespace: str = "media",
) -> Candidate:
    created = NOW - timedelta(seconds=age)
    return Candidate(
        f"{namespace}/{key}", namespace, priority, created, f"uid-{key}", active, stuck
    )


def entered(limits: Limits, *candidates: Candidate) -> Slots:
    """All of them entered before any is admitted, as when an operator starts."""
    slots = Slots(limits)
    for each in candidates:
        slots.put(each)
    slots.admit()
    return slots


def waiting(limits: Limits, *candidates: Candidate) -> dict[str, int]:
    slots = entered(limits, *candidates)
    positions = {each.key: slots.position(each.key) for each in candidates}
    return {key: position for key, position in positions.items() if position is not None}


CALLS = candidate("calls", namespace="calls")
LINES = [
    ("without limits nobody waits", Limits(), [candidate(str(n)) for n in range(50)], {}),
    ("first come, first served", Limits(in_all=1),
     [candidate("new"), candidate("old", age=9), candidate("oldest", age=99)],
     {"media/old": 1, "media/new": 2}),
    ("a higher priority goes first", Limits(in_all=2),
     [candidate("runs", active=True), candidate("old", age=9), candidate("vip", priority=5)],
     {"media/old": 1}),
    ("a higher priority stops nobody", Limits(in_all=1),
     [candidate("runs", active=True), candidate("old", age=9), candidate("vip", priority=5)],
     {"media/vip": 1, "media/old": 2}),
    ("a position counts the jobs of the namespace", Limits(per_namespace=1),
     [candidate("a", active=True), candidate("b", active=True, namespace="calls"),
      candidate("c", age=9), candidate("d", age=5), candidate("e", age=1, namespace="calls")],
     {"media/c": 1, "media/d": 2, "calls/e": 1}),
    ("a priority goes before jobs of its namespace only", Limits(in_all=2),
     [candidate("runs", active=True), candidate("vip", priority=1000), CALLS], {"media/vip": 1}),
    ("the namespace with the fewest active jobs goes first", Limits(in_all=4),
     [candidate("a", active=True), candidate("b", active=True), candidate("c", age=9),
      candidate("d", active=True, namespace="calls"), CALLS], {"media/c": 1}),
    ("of namespaces with as many, the job that waits longest goes first", Limits(in_all=3),
     [candidate("a", active=True), candidate("b", age=9, active=True, namespace="calls"),
      candidate("c", age=8), CALLS], {"calls/calls": 1}),
    ("a full namespace does not hold up another one", Limits(per_namespace=1),
     [candidate("a", active=True), candidate("b", age=9), CALLS], {"media/b": 1}),
    ("with both limits, a full namespace does not hold up another one", Limits(2, 1),
     [candidate("a", active=True), candidate("b", age=9), CALLS], {"media/b": 1}),
    ("more run than a lowered limit allows", Limits(in_all=1),
     [candidate("a", active=True), candidate("b", active=True), candidate("c")], {"media/c": 1}),
    ("stuck jobs leave their slots to other namespaces", Limits(in_all=2),
     [candidate("a", active=True, stuck=True), candidate("b", active=True, stuck=True),
      candidate("c", age=9), CALLS], {"media/c": 1}),
    ("stuck jobs count against their own namespace", Limits(in_all=2),
     [candidate("a", active=True, stuck=True), candidate("b", age=9), candidate("c")],
     {"media/c": 1}),
    ("stuck jobs leave no slot beyond the limit", Limits(in_all=1),
     [candidate("a", active=True, stuck=True), candidate("b", active=True, namespace="calls"),
      candidate("c", namespace="talks")], {"talks/c": 1}),
    ("stuck jobs count for the limit of their namespace", Limits(per_namespace=1),
     [candidate("a", active=True, stuck=True), candidate("b")], {"media/b": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "candidates", "expected"), [e[1:] for e in LINES], ids=[e[0] for e in LINES]
)
def test_who_waits_and_where(limits, candidates, expected):
    assert waiting(limits, *candidates) == expected


def test_a_slot_is_taken_when_it_is_given_not_when_the_job_runs():
    slots = entered(Limits(in_all=1), candidate("low"))
    slots.put(candidate("vip", priority=9))
    assert slots.admit() == []
    assert slots.position("media/low") is None
    assert slots.position("media/vip") == 1


def test_the_slot_of_one_that_ends_goes_to_the_first_in_the_line():
    slots = entered(
        Limits(in_all=1), candidate("runs", active=True), candidate("b"), candidate("a", age=9)
    )
    slots.remove("media/runs")
    assert slots.admit() == ["media/a"]
    assert slots.position("media/b") == 1


def served(slots: Slots, first: str, number: int) -> list[str]:
    """The jobs that run one after the other while each ends before the next one begins."""
    order = [first]
    for _ in range(number - 1):
        slots.remove(order[-1])
        order += slots.admit()
    return order


def test_namespaces_take_turns_however_many_jobs_one_has_and_of_whatever_priority():
    many = [candidate(f"m{number}", age=99, priority=1000) for number in range(100)]
    few = [candidate(f"c{number}", namespace="calls", priority=-5) for number in range(3)]
    slots = entered(Limits(in_all=1), candidate("first", age=100, priority=1000), *many, *few)
    namespaces = [key.partition("/")[0] for key in served(slots, "media/first", 8)]
    assert namespaces == ["media", "calls", "media", "calls", "media", "calls", "media", "media"]


def test_a_namespace_that_submits_one_job_after_the_other_waits_its_turn():
    others = [
        candidate(f"j{number}", age=9, namespace=name) for name in ("x", "y") for number in range(9)
    ]
    slots = entered(Limits(in_all=1), candidate("0", age=100), *others)
    order = ["media/0"]
    for number in range(1, 7):
        slots.remove(order[-1])
        order += slots.admit()
        slots.put(candidate(str(number), priority=1000))
    assert [key[0] for key in order] == ["m", "x", "y", "m", "x", "y", "m"]


def test_a_stuck_job_that_starts_counts_again():
    runs = candidate("runs", active=True)
    slots = entered(Limits(in_all=1), runs, candidate("next"), CALLS)
    slots.put(replace(runs, stuck=True))
    assert slots.admit() == [CALLS.key]
    slots.put(runs)
    slots.remove(CALLS.key)
    assert slots.admit() == []


def test_one_that_takes_the_name_of_another_does_not_take_its_slot():
    slots = entered(Limits(in_all=1), candidate("a"), candidate("b"))
    slots.put(replace(candidate("a"), uid="another", created=NOW + timedelta(seconds=1)))
    assert slots.admit() == ["media/b"]
    assert slots.position("media/a") == 1


def test_a_new_priority_is_a_new_place():
    slots = entered(
        Limits(in_all=1), candidate("runs", active=True), candidate("a", age=9), candidate("b")
    )
    slots.put(candidate("b", priority=1))
    assert (slots.position("media/b"), slots.position("media/a")) == (1, 2)


class Naive:
    """The same rules, by going through all of them for each answer."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.known: dict[str, Candidate] = {}
        self.holders: set[str] = set()
        self.turns: list[str] = []

    def put(self, candidate: Candidate) -> None:
        self.known[candidate.key] = candidate
        if candidate.active:
            self.holders.add(candidate.key)

    def remove(self, key: str) -> None:
        self.known.pop(key, None)
        self.holders.discard(key)

    def turn(self, candidate: Candidate) -> object:
        """Sorts by the active jobs of the namespace, its last turn, and the job's place."""
        namespace = candidate.namespace
        held = sum(self.known[key].namespace == namespace for key in self.holders)
        last = max((n for n, each in enumerate(self.turns) if each == namespace), default=-1)
        return held, last, candidate.created, candidate.key

    def may_start(self, candidate: Candidate) -> bool:
        holders = [self.known[key] for key in self.holders]
        own = [each for each in holders if each.namespace == candidate.namespace]
        counted = [each for each in holders if not each.stuck or each in own]
        room = self.limits.in_all is None or len(counted) < self.limits.in_all
        return room and (self.limits.per_namespace is None or len(own) < self.limits.per_namespace)

    def admit(self) -> list[str]:
        admitted = []
        line = [each for each in self.known.values() if each.key not in self.holders]
        while able := list(filter(self.may_start, line)):
            heads = [min(each, key=place) for each in by_namespace(able)]
            first = min(heads, key=self.turn)
            line.remove(first)
            self.holders.add(first.key)
            self.turns.append(first.namespace)
            admitted.append(first.key)
        if not line:
            self.turns.clear()
        return admitted


def by_namespace(candidates: list[Candidate]) -> list[list[Candidate]]:
    names = {each.namespace for each in candidates}
    return [[each for each in candidates if each.namespace == name] for name in names]


def place(candidate: Candidate) -> object:
    return candidate.place


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove"]),
        st.sampled_from("ab"),
        st.integers(0, 5),
        st.integers(-1, 1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@given(CHANGES, st.none() | st.integers(1, 4), st.none() | st.integers(1, 3))
def test_each_change_admits_the_jobs_that_a_naive_search_would_admit(
    changes, in_all, per_namespace
):
    limits = Limits(in_all, per_namespace)
    slots, naive = Slots(limits), Naive(limits)
    for verb, namespace, number, priority, active, stuck in changes:
        each = candidate(
            str(number), age=number, priority=priority, namespace=namespace,
            active=active, stuck=stuck,
        )  # fmt: skip
        for model in (slots, naive):
            if verb == "put":
                model.put(each)
            else:
                model.remove(each.key)
        assert slots.admit() == naive.admit()
        line = sorted((c for c in naive.known.values() if c.key not in naive.holders), key=place)
        for namespace in "ab":
            own = [slots.position(c.key) for c in line if c.namespace == namespace]
            assert own == list(range(1, len(own) + 1))
        assert all(slots.position(key) is None for key in naive.holders)


def arrived(number: int) -> Candidate:
    return candidate(f"{number:05}", age=-number, namespace=f"n{number % 50}")


def test_ten_thousand_arrivals_do_not_stop_the_loop():
    slots, marks = Slots(Limits(in_all=100)), []
    for number in range(10_000):
        begin = time.perf_counter()
        slots.put(arrived(number))
        slots.admit()
        slots.position(arrived(number).key)
        marks.append(time.perf_counter() - begin)
    assert quantiles(marks, n=100)[-1] < 0.05
    assert sum(marks) < 10


def test_the_end_of_one_of_a_thousand_jobs_changes_few_reported_positions():
    jobs = [arrived(number) for number in range(1_010)]
    slots = entered(Limits(in_all=10), *jobs)
    before = shown(slots, jobs)
    slots.remove(jobs[0].key)
    slots.admit()
    after = shown(slots, jobs)
    assert len(before) == 1_000
    assert sum(before[key] != after.get(key) for key in before) <= 25


def shown(slots: Slots, jobs: list[Candidate]) -> dict[str, int]:
    positions = ((each.key, slots.position(each.key)) for each in jobs)
    return {key: reported(position) for key, position in positions if position is not None}
