"""One visit to one TranscriptionJob: observe, decide, act, write the status once.

Level-based: a visit looks at what is, never at what happened, so that one lost, doubled or late
event changes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from transcription_api.status import Status
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_kube.errors import ApiError, ConflictError, NotFoundError
from transcription_operator.policies import decide, events, failures, status
from transcription_operator.policies.decide import ChangeJob, CreateJob, DeleteJob, ReleasePod
from transcription_operator.policies.errors import SpecError
from transcription_operator.policies.job import desired_job
from transcription_operator.policies.observed import Observation, ObservedJob, ObservedPod
from transcription_operator.policies.patch import merge_patch
from transcription_operator.policies.progress import Reading, advance
from transcription_operator.policies.verdict import is_explained
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.settings import Settings

Written = Callable[[TranscriptionJob, Status], None]
"""The object before a status was written, and the status."""

Readings = Callable[[str], tuple[Reading, Reading] | None]
"""namespace/name -> the first and the latest reading of its workers."""

_INVALID = 422
_REFUSALS = (400, 403)
"""A quota or a webhook, which may change its mind."""

_SERVER_ERROR = 500
"""A webhook that does not answer, too. Had the Job been made after all, the next try says so."""

_CONFLICT_RETRY_SECONDS = 1.0
log = logging.getLogger(__name__)


class Reconciler:
    """Brings TranscriptionJobs to what their specs ask for."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        settings: Settings,
        readings: Readings,
        written: Written = lambda _parent, _after: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._settings = settings
        self._readings = readings
        self._written = written
        self._clock = clock

    async def reconcile(self, key: str) -> float | None:
        """Visit namespace/name; the seconds until it should be visited again.

        Raises:
            ApiError: the API server refused something; the visit is to be repeated.
        """
        try:
            return await self._visit(key)
        except ConflictError as conflict:
            log.info("looking again: %s", conflict)
            return _CONFLICT_RETRY_SECONDS

    async def _visit(self, key: str) -> float | None:
        found = self._caches.parents.raw(key)
        if found is None or "deletionTimestamp" in found["metadata"]:
            self._caches.settle(key, None)
            return None
        parent = TranscriptionJob.model_validate(found)
        self._caches.settle(key, parent)
        seen = await self._observe(parent)
        if parent.status.phase and parent.status.phase.finished:
            return await self._after_the_end(parent, seen)
        now = self._clock()
        try:
            for action in decide.actions(parent, seen, now):
                seen = await self._act(parent, action, seen)
            readings = self._readings(key)
            progress = advance(parent.status.progress, *readings) if readings else None
            after = status.next_status(parent, seen, progress, now)
        except SpecError as error:
            failure = Failure(reason=error.reason, message=str(error))
            after = status.failed_status(parent, failure, now)
        await self._write_status(parent, after)
        if after.phase and after.phase.finished:
            return 0.0
        return decide.revisit_after(parent, seen, now, self._settings.resync_seconds)

    async def _after_the_end(self, parent: TranscriptionJob, seen: Observation) -> float | None:
        now = self._clock()
        expires = decide.expires(parent)
        if expires and now >= expires:
            metadata = parent.metadata
            log.info("deleted: ttlSecondsAfterFinished is over")
            await self._cluster.delete_transcription_job(
                metadata.namespace, metadata.name, metadata.uid
            )
            return None
        if retry := parent.retry_asked:
            if seen.job:
                await self._act(parent, DeleteJob(seen.job.name, seen.job.uid), seen)
            await self._write_status(parent, status.retried_status(parent, retry, now))
            return 0.0
        if parent.status.observed_generation != parent.metadata.generation:
            await self._write_status(parent, status.finished_status(parent))
        for action in decide.last_actions(parent, seen):
            await self._act(parent, action, seen)
        return (expires - now).total_seconds() if expires else None

    async def _observe(self, parent: TranscriptionJob) -> Observation:
        seen = await self._explained(parent, self._caches.observe(parent))
        now = self._clock()
        silent = set()
        for pod in decide.overdue(seen.pods, now):
            if pod.node and not pod.evicted and await self._cluster.is_silent(pod.node):
                silent.add(pod.node)
        refused = await self._refusal(parent, seen.job, now) if not seen.pods else None
        ending = await self._is_ending(parent, seen)
        return replace(seen, refused=refused, silent_nodes=frozenset(silent), ending=ending)

    async def _is_ending(self, parent: TranscriptionJob, seen: Observation) -> bool:
        """Asked only where the pods of a Job that is not over are being deleted, suspended or not:
        its failed pods wait for their successors all the same."""
        if seen.job is None or seen.job.finished or not any(pod.deleting for pod in seen.pods):
            return False
        return await self._cluster.is_ending(parent.metadata.namespace)

    async def _explained(self, parent: TranscriptionJob, seen: Observation) -> Observation:
        """The end is written once: where the watch of the Job was quicker than that of its pods,
        or that one is dead, the pods are asked for."""
        is_over = parent.status.phase is not None and parent.status.phase.finished
        if is_over or seen.job is None or is_explained(seen):
            return seen
        metadata = parent.metadata
        listed = await self._cluster.pods_of(metadata.namespace, metadata.uid)
        pods = (ObservedPod.parse(pod) for pod in listed)
        return replace(seen, pods=tuple(p for p in pods if p.owner_uid == seen.job.uid))

    async def _refusal(
        self, parent: TranscriptionJob, job: ObservedJob | None, now: datetime
    ) -> Failure | None:
        """Why there is no pod: quotas, LimitRanges and Pod Security tell it to the Job alone."""
        if job is None or job.suspended or job.finished or not (job.started or job.created):
            return None
        begin = job.started or job.created
        if begin is None or (now - begin).total_seconds() < decide.FIRST_RELOOK_SECONDS:
            return None
        said = await self._cluster.refusals(parent.metadata.namespace, job.uid)
        return failures.of_refusal(said[-1]) if said else None

    async def _act(
        self, parent: TranscriptionJob, action: decide.Action, seen: Observation
    ) -> Observation:
        namespace = parent.metadata.namespace
        match action:
            case CreateJob(active_deadline):
                return await self._create(parent, active_deadline)
            case ChangeJob(name, uid, spec):
                log.info("changing Job %s: %s", name, spec)
                changed = await self._cluster.change_job(namespace, name, uid, dict(spec))
                self._caches.put_job(changed)
            case DeleteJob(name, uid):
                log.info("deleting Job %s", name)
                await self._cluster.delete_job(namespace, name, uid)
            case ReleasePod(name):
                log.warning("pod %s is on a lost node: its worker is started elsewhere", name)
                await self._cluster.release_pod(namespace, name)
        return seen

    async def _create(self, parent: TranscriptionJob, active_deadline: int | None) -> Observation:
        manifest = desired_job(parent, self._settings, parent.attempt, active_deadline)
        namespace, name = parent.metadata.namespace, manifest["metadata"]["name"]
        if parent.status.phase is not None:
            await self._check_that_it_is_there(parent)
        try:
            created = await self._cluster.create_job(namespace, manifest)
        except ConflictError:
            # Made by this operator before it was killed, or the cache is late.
            there = await self._cluster.get_job(namespace, name)
            job = ObservedJob.parse(there) if there else None
            if there is None or job is None or job.deleting or job.owner_uid != parent.metadata.uid:
                raise
            self._caches.put_job(there)
            return self._caches.observe(parent)
        except ApiError as error:
            if error.status == _INVALID:
                raise SpecError(f"the API server refuses the Job: {error}") from error
            if error.status not in _REFUSALS and error.status < _SERVER_ERROR:
                raise
            return Observation(refused=Failure(reason="JobRefused", message=str(error)))
        log.info("created Job %s", name)
        self._caches.put_job(created)
        return Observation(ObservedJob.parse(created))

    async def _check_that_it_is_there(self, parent: TranscriptionJob) -> None:
        """Before a Job is made for a TranscriptionJob that is not new: no watch may have told of
        its deletion, and the garbage collector would take the Job away, time and again."""
        metadata = parent.metadata
        uid = await self._cluster.uid_of(metadata.namespace, metadata.name)
        if uid != metadata.uid:
            self._caches.parents.drop(parent.key, int(metadata.resource_version))
            self._caches.settle(parent.key, None)
            raise ConflictError(404, f"{parent.key} is gone")

    async def _write_status(self, parent: TranscriptionJob, after: Status) -> None:
        before = self._caches.parents.raw(parent.key)
        patch = merge_patch(before.get("status", {}) if before else {}, after.to_wire())
        if not patch:
            return
        metadata, past = parent.metadata, parent.status
        body = {"metadata": {"resourceVersion": metadata.resource_version}, "status": patch}
        try:
            written = await self._cluster.patch_status(metadata.namespace, metadata.name, body)
        except NotFoundError as error:
            # Deleted while no watch was there to tell: without this its Job would be made, and
            # collected, again and again.
            self._caches.parents.drop(parent.key, int(metadata.resource_version))
            self._caches.settle(parent.key, None)
            raise ConflictError(error.status, f"{parent.key} is gone") from error
        self._caches.parents.put(written)
        self._caches.settle(parent.key, TranscriptionJob.model_validate(written))
        if (past.phase, past.reason) != (after.phase, after.reason):
            log.info("%s (%s): %s", after.phase, after.reason, after.message)
        self._written(parent, after)
        for draft in events.of_change(past, after):
            event = events.manifest(parent, draft, self._clock())
            await self._cluster.create_event(metadata.namespace, event)
