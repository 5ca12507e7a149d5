"""One visit to one TranscriptionJob: observe, decide, act, write the status once.

Level-based: a visit looks at what is, never at what happened, so that one lost, doubled or late
event changes nothing.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from transcription_contract.termination import Failure
from transcription_operator import events, names, status
from transcription_operator import progress as progress_of
from transcription_operator.api.status import Phase, Progress, Status
from transcription_operator.api.transcriptionjob import TranscriptionJob
from transcription_operator.cluster import Cluster
from transcription_operator.errors import ApiError, ConflictError, NotFoundError, SpecError
from transcription_operator.job import desired_job
from transcription_operator.observed import Observation, ObservedJob, ObservedPod
from transcription_operator.patch import merge_patch
from transcription_operator.settings import Settings

_ATTEMPT = 1
_INVALID = 422
_REFUSALS = (400, 403)
"""A quota or a webhook, which may change its mind."""

_REFUSED_RETRY_SECONDS = 15.0
_CONFLICT_RETRY_SECONDS = 1.0
log = logging.getLogger(__name__)


class Reconciler:
    """Brings TranscriptionJobs to what their specs ask for."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._first_readings: dict[tuple[str, str], progress_of.Reading] = {}

    async def reconcile(self, key: str) -> float | None:
        """Visit namespace/name; the seconds until it should be visited again.

        Raises:
            ApiError: the API server refused something; the visit is to be repeated.
        """
        try:
            return await self._visit(key)
        except ConflictError as conflict:
            log.info("%s: looking again: %s", key, conflict)
            return _CONFLICT_RETRY_SECONDS

    async def _visit(self, key: str) -> float | None:
        namespace, _, name = key.partition("/")
        found = await self._cluster.get_transcription_job(namespace, name)
        if found is None or "deletionTimestamp" in found["metadata"]:
            self._forget(key)
            return None
        parent = TranscriptionJob.model_validate(found)
        if parent.status.phase and parent.status.phase.finished:
            await self._stop_job(parent, parent.status)
            return None
        after = await self._next_status(parent)
        await self._write_status(parent, found.get("status", {}), after)
        if after.phase and after.phase.finished:
            self._forget(key)
            await self._stop_job(parent, after)
            return None
        return self._revisit_after(parent, after)

    async def _next_status(self, parent: TranscriptionJob) -> Status:
        try:
            seen = await self._observe_or_create(parent)
        except SpecError as error:
            failure = Failure(reason=error.reason, message=str(error))
            return status.failed_status(parent, failure, self._clock())
        progress = await self._progress(parent, seen)
        return status.next_status(parent, seen, progress, self._clock())

    async def _observe_or_create(self, parent: TranscriptionJob) -> Observation:
        namespace = parent.metadata.namespace
        job = await self._cluster.get_job(namespace, _child_name(parent))
        if job is None:
            return await self._create(parent)
        observed = ObservedJob.parse(job)
        if observed.deleting or observed.owner_uid != parent.metadata.uid:
            raise ConflictError(409, f"Job {observed.name} is being deleted or not ours")
        listed = await self._cluster.list_pods(namespace, names.owned_by(parent.metadata.uid))
        pods = (ObservedPod.parse(pod) for pod in listed)
        # Anybody who may make pods can give one our label; the owner is set by the controller.
        return Observation(observed, tuple(p for p in pods if p.owner_uid == observed.uid))

    async def _create(self, parent: TranscriptionJob) -> Observation:
        manifest = desired_job(parent, self._settings, _ATTEMPT)
        try:
            created = await self._cluster.create_job(parent.metadata.namespace, manifest)
        except ApiError as error:
            if error.status == _INVALID:
                raise SpecError(f"the API server refuses the Job: {error}") from error
            if error.status not in _REFUSALS:
                raise
            return Observation(refused=Failure(reason="JobRefused", message=str(error)))
        log.info("%s: created Job %s", parent.key, created["metadata"]["name"])
        return Observation(ObservedJob.parse(created))

    async def _progress(self, parent: TranscriptionJob, seen: Observation) -> Progress | None:
        running = {pod.name: pod.ip for pod in seen.pods if pod.running and pod.ip}
        if not running:
            return None
        texts = await self._cluster.worker_metrics([ip for ip in running.values() if ip])
        reading = progress_of.reading_of([progress_of.parse(t) for t in texts], self._clock())
        if reading is None:
            return None
        # New pods, new clock: what the ones before them did is no speed of theirs.
        run = (parent.key, ",".join(sorted(running)))
        first = self._first_readings.setdefault(run, reading)
        return progress_of.advance(parent.status.progress, first, reading)

    async def _write_status(
        self, parent: TranscriptionJob, before: dict[str, object], after: Status
    ) -> None:
        patch = merge_patch(before, after.to_wire())
        if not patch:
            return
        metadata = parent.metadata
        body = {"metadata": {"resourceVersion": metadata.resource_version}, "status": patch}
        try:
            await self._cluster.patch_status(metadata.namespace, metadata.name, body)
        except NotFoundError:
            return
        if (parent.status.phase, parent.status.reason) != (after.phase, after.reason):
            log.info("%s: %s (%s): %s", parent.key, after.phase, after.reason, after.message)
        for draft in events.of_change(parent.status, after):
            event = events.manifest(parent, draft, self._clock())
            await self._cluster.create_event(metadata.namespace, event)

    async def _stop_job(self, parent: TranscriptionJob, after: Status) -> None:
        """A failed parent's Job may not work on: the pending deadline leaves one behind."""
        if after.phase is not Phase.FAILED:
            return
        job = await self._cluster.get_job(parent.metadata.namespace, _child_name(parent))
        observed = ObservedJob.parse(job) if job else None
        if observed and not (observed.complete or observed.failed or observed.deleting):
            await self._cluster.delete_job(parent.metadata.namespace, observed.name)

    def _revisit_after(self, parent: TranscriptionJob, after: Status) -> float:
        if after.phase is Phase.RUNNING:
            return self._settings.progress_interval_seconds
        if after.job_name is None:
            return _REFUSED_RETRY_SECONDS
        begin = after.start_time or parent.metadata.creation_timestamp or self._clock()
        waited = (self._clock() - begin).total_seconds()
        left = parent.spec.pending_deadline_seconds - waited
        resync = self._settings.resync_seconds
        return min(max(left, 1.0), resync) if left > 0 else resync

    def _forget(self, key: str) -> None:
        for run in [run for run in self._first_readings if run[0] == key]:
            del self._first_readings[run]


def _child_name(parent: TranscriptionJob) -> str:
    return names.child_name(parent.metadata.name, parent.metadata.uid, _ATTEMPT)
