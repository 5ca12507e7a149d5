"""Jobs that the API server refuses or fails to create: why, and when each is created again."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_kube.keys import namespace_of
from transcription_operator.policies import refusals

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_WOKEN_AT_ONCE = 2
"""After a Job is accepted: the chain grows while Jobs are accepted, and ends when they are not."""


@dataclass
class _Refused:
    """``wanted``: what was refused: a TranscriptionJob's uid, attempt and generation. ``failure``:
    what its status says. ``trouble``: since when the API server has failed without a refusal."""

    wanted: tuple[str, int, int]
    failure: Failure
    tries: int
    due: datetime
    trouble: datetime | None = None


@dataclass
class _Namespace:
    """``refused``: by key, the one that was tried longest ago first. ``last``: the latest time that
    was given to one. ``probe``: the key that is tried soon, for all of them."""

    refused: OrderedDict[str, _Refused] = field(default_factory=OrderedDict)
    last: datetime = _LONG_AGO
    probe: str | None = None


class RefusedJobs:
    """What the API server refused of each namespace.

    Each key backs off separately, and a namespace's retries are spread over time. Since a
    refusal mostly concerns the whole namespace, one of its Jobs in turn is tried every minute, and
    when one is accepted the others follow at once. So a thousand refused Jobs cost a request a
    second, and none waits for long after the refusal is lifted.

    ``wake``: called with the keys that should be reconciled now.
    """

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._namespaces: dict[str, _Namespace] = {}

    def __len__(self) -> int:
        return sum(len(each.refused) for each in self._namespaces.values())

    def knows(self, key: str) -> bool:
        """Whether the last try of this TranscriptionJob's Job was refused."""
        return key in self._in_namespace_of(key).refused

    def waiting(self, owner: TranscriptionJob, now: datetime) -> tuple[Failure, float] | None:
        """Why its Job was refused, and the seconds until it is created again; None if it may be
        created now. A changed spec may."""
        entry = self._in_namespace_of(owner.key).refused.get(owner.key)
        if entry is None or entry.due <= now or entry.wanted != _wanted(owner):
            return None
        return entry.failure, (entry.due - now).total_seconds()

    def add(self, owner: TranscriptionJob, failure: Failure, now: datetime) -> float:
        """Note that its Job was refused; the seconds until it is created again."""
        before = self._before(owner)
        tries = before.tries + 1 if before and before.trouble is None else 1
        due = self._due(owner, now, refusals.backoff(tries))
        return self._note(owner, _Refused(_wanted(owner), failure, tries, due), now)

    def add_trouble(
        self, owner: TranscriptionJob, message: str, now: datetime, asked_wait: float | None = None
    ) -> tuple[Failure, float]:
        """Note that the API server failed to create its Job; what the status says, and the seconds
        until it is created again: at least those that it asks to wait."""
        before = self._before(owner)
        since = before.trouble if before else None
        tries = before.tries + 1 if before and since else 1
        known = before.failure if before else refusals.BEING_CREATED
        failure = refusals.of_trouble(message, now - (since or now)) or known
        backoff = max(refusals.backoff_in_trouble(tries), timedelta(seconds=asked_wait or 0))
        due = self._due(owner, now, backoff)
        entry = _Refused(_wanted(owner), failure, tries, due, since or now)
        return failure, self._note(owner, entry, now)

    def accepted(self, key: str, now: datetime) -> None:
        """Note that its Job was created, and wake others of its namespace."""
        space = self._in_namespace_of(key)
        self._remove(key)
        for other in list(islice(space.refused, _WOKEN_AT_ONCE)):
            space.refused[other].due = now
            space.refused.move_to_end(other)
            self._wake(other)

    def forget(self, key: str, now: datetime) -> None:
        """Its Job is no longer wanted."""
        space = self._in_namespace_of(key)
        self._remove(key)
        if space.probe is None and space.refused:
            self._choose_probe(space, now)

    def _before(self, owner: TranscriptionJob) -> _Refused | None:
        """The last try to create the same Job."""
        entry = self._in_namespace_of(owner.key).refused.get(owner.key)
        return entry if entry and entry.wanted == _wanted(owner) else None

    def _due(self, owner: TranscriptionJob, now: datetime, backoff: timedelta) -> datetime:
        """After its backoff, and in turn; not later, since those before it may have gone."""
        space = self._in_namespace_of(owner.key)
        others = len(space.refused) - (owner.key in space.refused)
        slot = min(space.last + refusals.SPACING, now + refusals.SPACING * others)
        return max(now + backoff, slot)

    def _note(self, owner: TranscriptionJob, entry: _Refused, now: datetime) -> float:
        space = self._namespaces.setdefault(owner.metadata.namespace, _Namespace())
        space.last = entry.due
        space.refused[owner.key] = entry
        space.refused.move_to_end(owner.key)
        if space.probe in (None, owner.key):
            self._choose_probe(space, now, owner.key)
        return (entry.due - now).total_seconds()

    def _in_namespace_of(self, key: str) -> _Namespace:
        return self._namespaces.get(namespace_of(key)) or _Namespace()

    def _remove(self, key: str) -> str | None:
        """Remove a key; the one that was the probe before."""
        space = self._in_namespace_of(key)
        probe = space.probe
        space.refused.pop(key, None)
        if probe == key:
            space.probe = None
        if not space.refused:
            self._namespaces.pop(namespace_of(key), None)
        return probe

    def _choose_probe(self, space: _Namespace, now: datetime, current: str | None = None) -> None:
        key, entry = next(iter(space.refused.items()))
        space.probe = key
        if entry.due > now + refusals.PROBE_EVERY:
            entry.due = now + refusals.PROBE_EVERY
            if key != current:
                self._wake(key)


def _wanted(owner: TranscriptionJob) -> tuple[str, int, int]:
    return owner.metadata.uid, owner.attempt, owner.metadata.generation
