"""Admission of jobs: the slots of policies/slots.py, filled from the caches."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from transcription_api.reading import Unreadable
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.queueing import candidate_of
from transcription_operator.policies.slots import Candidate, Limits, Slots
from transcription_operator.runtime.caches import Caches

_ENTERED_AT_ONCE = 100
"""Jobs that are entered, in a few milliseconds, before other tasks get their turn."""


class Admission:
    """Gives slots to jobs while the limits allow it.

    Args:
        on_admitted: called with the keys of jobs that may run now and could not before.
    """

    def __init__(
        self,
        caches: Caches,
        limits: Limits,
        on_admitted: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._caches = caches
        self._limits = limits
        self._on_admitted = on_admitted
        self._clock = clock
        self._slots = Slots(limits)

    async def load(self) -> None:
        """Enter all jobs before any is admitted: the order depends on all of them."""
        if not self._limits.any:
            return
        for number, key in enumerate(self._caches.owners.all()):
            self._enter(key, self._caches.owner(key))
            if number % _ENTERED_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._slots.admit()

    def admit(self, key: str, owner: TranscriptionJob | Unreadable | None) -> int | None:
        """Enter a job as it is now; None for one that is gone.

        Returns:
            Its position in the queue, from 1 on; None if it may run. The slot is then taken, before
            its Job is created.
        """
        if not self._limits.any:
            return None
        self._enter(key, owner)
        for admitted in self._slots.admit():
            if admitted != key:
                self._on_admitted(admitted)
        return self._slots.position(key)

    def _enter(self, key: str, owner: TranscriptionJob | Unreadable | None) -> None:
        candidate = self._candidate(owner) if owner else None
        if candidate:
            self._slots.put(candidate)
        else:
            self._slots.remove(key)

    def _candidate(self, owner: TranscriptionJob | Unreadable) -> Candidate | None:
        now = self._clock()
        since = self._caches.owners.since(owner.key) or now
        return candidate_of(owner, self._caches.child(owner), since, now)
