"""Slots for active jobs, and the line of jobs that wait for one. Pure.

First come, first served, by creation within priority. A slot that was given is never taken back for
another job. The slot of a stuck job counts against the jobs of its namespace only: otherwise one
namespace could block all others with jobs that fit on no node.
"""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

_Place = tuple[int, datetime, str, str]
"""Sorts by priority, creation and uid; the last element is the candidate's key."""


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
        """Its place in the order of admission."""
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
        self._line: list[_Place] = []
        self._lines: dict[str, list[_Place]] = {}
        self._heads: dict[str, _Place] = {}
        self._front: list[_Place] = []
        """The first of each namespace that is not full."""

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
            _delete(self._line, waiting.place)
            _delete(line, waiting.place)
            self._update_front(waiting.namespace)
        elif holder := self._holders.pop(key, None):
            self._count(holder, -1)

    def admit(self) -> list[str]:
        """Give the free slots to those that wait, in order; the keys of the jobs admitted."""
        admitted: list[str] = []
        while candidate := self._next():
            self.remove(candidate.key)
            self._hold(candidate)
            admitted.append(candidate.key)
        return admitted

    def position(self, key: str) -> int | None:
        """The position, from 1 on, of a job that waits; None for all others.

        If only its namespace keeps it waiting, this is the position within the namespace.
        """
        candidate = self._waiting.get(key)
        if candidate is None:
            return None
        alone = self._is_full(candidate.namespace) or self._has_room()
        line = self._lines[candidate.namespace] if alone else self._line
        return bisect_left(line, candidate.place) + 1

    def _next(self) -> Candidate | None:
        if not self._front or not self._has_room():
            return None
        first = (self._waiting[place[-1]] for place in self._front)
        return next((each for each in first if self._has_room(self._stuck[each.namespace])), None)

    def _has_room(self, stuck: int = 0) -> bool:
        """Whether another job may start under ``in_all``, if that many stuck jobs count."""
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
        insort(self._line, candidate.place)
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
            self._heads[namespace] = line[0]
            insort(self._front, line[0])


def _delete(line: list[_Place], place: _Place) -> None:
    del line[bisect_left(line, place)]
