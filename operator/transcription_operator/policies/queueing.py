"""Which jobs may run, when the settings allow only so many at once. Pure.

First come, first served, by creation within priority. A job that has begun is never stopped for
another one; Kueue does that, and jobs in its queues are not counted here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from transcription_api.status import Phase
from transcription_operator.policies.phase_status import PhaseStatus


@dataclass(frozen=True, slots=True)
class Candidate:
    """A TranscriptionJob that wants to run, or (``active``) does."""

    key: str
    namespace: str
    priority: int
    created: datetime
    uid: str
    active: bool


@dataclass(frozen=True)
class Limits:
    """The most active jobs, in all and in each namespace; None for no limit."""

    in_all: int | None = None
    per_namespace: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.in_all is not None or self.per_namespace is not None


def queue(candidates: Iterable[Candidate], limits: Limits) -> dict[str, int]:
    """The positions, from 1 on, of those that have to wait, by key.

    A job whose namespace is full does not hold up those of other namespaces behind it, and its
    position is the one among its namespace's.
    """
    everyone = list(candidates)
    active = Counter(each.namespace for each in everyone if each.active)
    running = active.total()
    behind: Counter[str] = Counter()
    waiting: dict[str, int] = {}
    for each in sorted((c for c in everyone if not c.active), key=_order):
        room = limits.in_all is None or running < limits.in_all
        room_here = limits.per_namespace is None or active[each.namespace] < limits.per_namespace
        if room and room_here:
            active[each.namespace] += 1
            running += 1
        else:
            behind[each.namespace] += 1
            waiting[each.key] = len(waiting) + 1 if room_here else behind[each.namespace]
    return waiting


def _order(candidate: Candidate) -> tuple[int, datetime, str]:
    return (-candidate.priority, candidate.created, candidate.uid)


def phase(position: int) -> PhaseStatus:
    """Queued at that position."""
    return PhaseStatus(
        Phase.QUEUED,
        "Queued",
        f"Waiting: the limit of active jobs is reached (position {position})",
    )
