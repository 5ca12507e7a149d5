"""Slots for active jobs, and the jobs that wait for one. Pure.

A free slot goes to the namespace with the fewest active jobs; those with as many take turns. Within
a namespace jobs are served by priority, then by creation: no priority delays another namespace. A
slot that was given is never taken back for another job. The slot of a stuck job counts against the
jobs of its namespace only: otherwise one namespace could block all others with jobs that fit on no
node.
"""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

_Place = tuple[int, datetime, str, str]
"""Sorts by priority, creation and uid; the last element is the candidate's key."""

_Head = tuple[int, int, datetime, str]
"""Sorts namespaces by their active jobs, their last turn, and the creation of their first job; the
last element is that job's key."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A TranscriptionJob that wants to run, or (``active``) does.

    ``stuck``: its pods do not start.
    """

    key: str
    namespace: str
    priority: int
    created: datetime
    uid: str
    active: bool
    stuck: bool = False

    @property
    def place(self) -> _Place:
        """Its place among the jobs of its namespace."""
        return (-self.priority, self.created, self.uid, self.key)


@dataclass(frozen=True)
class Limits:
    """The most active jobs, in all and in each namespace; None for no limit."""

    in_all: int | None = None
    per_namespace: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.in_all is not None or self.per_namespace is not None


class Slots:
    """Jobs that hold a slot, and jobs that wait for one.

    Each change costs O(log n) comparisons. The lists are sorted by bisection: moving ten thousand
    references takes microseconds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._holders: dict[str, Candidate] = {}
        self._held: Counter[str] = Counter()
        self._stuck: Counter[str] = Counter()
        self._started = 0
        """Holders that are not stuck."""
        self._waiting: dict[str, Candidate] = {}
        self._lines: dict[str, list[_Place]] = {}
        self._heads: dict[str, _Head] = {}
        self._front: list[_Head] = []
        """The first of each namespace that is not full."""
        self._numbers = count(1)
        self._turns: dict[str, int] = {}
        """The number of each namespace's last turn, while any job waits."""

    def put(self, candidate: Candidate) -> None:
        """Add or update a candidate. It is not admitted before ``admit``."""
        holder = self._holders.get(candidate.key)
        if candidate in (holder, self._waiting.get(candidate.key)):
            return
        keeps = holder is not None and holder.uid == candidate.uid
        self.remove(candidate.key)
        if keeps or candidate.active:
            self._hold(candidate)
        else:
            self._wait(candidate)

    def remove(self, key: str) -> None:
        """Forget a candidate, and free the slot that it may hold."""
        if waiting := self._waiting.pop(key, None):
            line = self._lines[waiting.namespace]
            _delete(line, waiting.place)
            self._update_front(waiting.namespace)
        elif holder := self._holders.pop(key, None):
            self._count(holder, -1)

    def admit(self) -> list[str]:
        """Give the free slots to those that wait, in order; the keys of the jobs admitted."""
        admitted: list[str] = []
        while candidate := self._next():
            self.remove(candidate.key)
            self._turns[candidate.namespace] = next(self._numbers)
            self._hold(candidate)
            admitted.append(candidate.key)
        if not self._waiting:
            self._turns.clear()
        return admitted

    def position(self, key: str) -> int | None:
        """The position, from 1 on, among the waiting jobs of its namespace; None for all others."""
        candidate = self._waiting.get(key)
        if candidate is None:
            return None
        return bisect_left(self._lines[candidate.namespace], candidate.place) + 1

    def _next(self) -> Candidate | None:
        if not self._front or not self._has_room():
            return None
        first = (self._waiting[key] for *_, key in self._front)
        return next((each for each in first if self._has_room(self._stuck[each.namespace])), None)

    def _has_room(self, stuck: int = 0) -> bool:
        """Whether a job may start under ``in_all`` if that many stuck jobs count."""
        most = self._limits.in_all
        return most is None or self._started + stuck < most

    def _is_full(self, namespace: str) -> bool:
        most = self._limits.per_namespace
        return most is not None and self._held[namespace] >= most

    def _hold(self, candidate: Candidate) -> None:
        self._holders[candidate.key] = candidate
        self._count(candidate, 1)

    def _wait(self, candidate: Candidate) -> None:
        self._waiting[candidate.key] = candidate
        insort(self._lines.setdefault(candidate.namespace, []), candidate.place)
        self._update_front(candidate.namespace)

    def _count(self, holder: Candidate, change: int) -> None:
        self._held[holder.namespace] += change
        if holder.stuck:
            self._stuck[holder.namespace] += change
        else:
            self._started += change
        self._update_front(holder.namespace)

    def _update_front(self, namespace: str) -> None:
        if head := self._heads.pop(namespace, None):
            _delete(self._front, head)
        if (line := self._lines.get(namespace)) and not self._is_full(namespace):
            first = self._waiting[line[0][-1]]
            turn = self._turns.get(namespace, 0)
            head = self._held[namespace], turn, first.created, first.key
            self._heads[namespace] = head
            insort(self._front, head)


def _delete(line: list[Any], item: Any) -> None:
    del line[bisect_left(line, item)]
