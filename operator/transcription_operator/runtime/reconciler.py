"""One TranscriptionJob: observe, decide, act, write the status once.

Level-based: reconciling looks at what is, never at what happened, so that one lost, doubled or late
event changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from transcription_api.reading import Unreadable
from transcription_api.status import Status
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_operator.errors import SpecError
from transcription_operator.policies import decide, status, ttl
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.progress import Reading, advance
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.event_recorder import EventRecorder
from transcription_operator.runtime.executor import Executor
from transcription_operator.runtime.observer import Observer
from transcription_operator.runtime.status_writer import OnWritten, StatusWriter
from transcription_operator.settings import Settings

Readings = Callable[[str], tuple[Reading, Reading] | None]
"""A Job's uid -> the first and the latest reading of its workers."""

Admit = Callable[[str, TranscriptionJob | Unreadable | None], int | None]
"""namespace/name, and the job or None if it is gone -> its position in the operator's queue; None
if it may run."""


class Reconciler:
    """Brings TranscriptionJobs to what their specs ask for."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        settings: Settings,
        readings: Readings,
        on_written: OnWritten = lambda _owner, _after: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        admit: Admit = lambda _key, _owner: None,
    ) -> None:
        self._caches = caches
        self._readings = readings
        self._admit = admit
        self._clock = clock
        self._resync_seconds = settings.resync_seconds
        self._retention = ttl.Retention(
            settings.ttl_seconds_after_finished, settings.child_ttl_seconds_after_finished
        )
        self._observer = Observer(cluster, caches, clock, settings.lost_nodes)
        self._executor = Executor(cluster, caches, settings, clock)
        recorder = EventRecorder(cluster, settings.identity, clock)
        self._writer = StatusWriter(cluster, caches, recorder, on_written, clock)

    async def reconcile(self, key: str) -> float | None:
        """Reconcile namespace/name; the seconds until it should be reconciled again.

        Raises:
            ConflictError: something changed meanwhile; the caches know it now, or soon will.
            KubeError: the API server refused something or did not answer: to be tried again.
        """
        owner = self._caches.owner(key)
        if owner is None or owner.metadata.deletion_timestamp:
            self._admit(key, None)
            self._caches.refused_jobs.forget(key, self._clock())
            self._writer.forget(key)
            return None
        queued = self._admit(key, owner)
        if isinstance(owner, Unreadable):
            return await self._fail(owner)
        seen = replace(await self._observer.observe(owner), queued=queued)
        now = self._clock()
        try:
            for action in decide.actions(owner, seen, now, self._retention):
                seen = await self._executor.act(owner, action, seen)
            after = self._next_status(owner, seen, now)
        except SpecError as error:
            failure = Failure(reason=error.reason, message=str(error))
            after = status.failed_status(owner, failure, now)
        if seen.gone:
            return None
        waits = (
            await self._writer.write(owner, after),
            decide.again_after(owner, after, seen, now, self._resync_seconds, self._retention),
        )
        return min((seconds for seconds in waits if seconds is not None), default=None)

    async def _fail(self, owner: Unreadable) -> float | None:
        """Write why a job cannot be read, unless it ended while it could be."""
        self._caches.refused_jobs.forget(owner.key, self._clock())
        if owner.is_finished:
            return None
        return await self._writer.write(owner, status.unreadable_status(owner, self._clock()))

    def _next_status(self, owner: TranscriptionJob, seen: Observation, now: datetime) -> Status:
        readings = self._readings(seen.job.uid) if seen.job else None
        progress = advance(owner.status.progress, *readings) if readings else None
        return status.next_status(owner, seen, progress, now)
