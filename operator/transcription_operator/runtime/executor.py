"""Actions, carried out."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_kube.errors import ApiError, ConflictError, UnreachableError
from transcription_operator.errors import SpecError
from transcription_operator.policies import refusals
from transcription_operator.policies.actions import (
    SCALE,
    Action,
    ChangeJob,
    CreateJob,
    DeleteJob,
    DeleteOwner,
    EndPod,
    MarkDeleted,
)
from transcription_operator.policies.job import allowed_pool, desired_job
from transcription_operator.policies.observation import (
    Manifest,
    Observation,
    ObservedJob,
    ObservedPod,
)
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.settings import Settings

_REFUSED_FOR = timedelta(minutes=5)
log = logging.getLogger(__name__)


class Executor:
    """Does what the policies have decided, and notes what the API server answers."""

    def __init__(
        self, cluster: Cluster, caches: Caches, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._settings = settings
        self._clock = clock
        self._write_again: dict[tuple[str, ...], datetime] = {}

    async def act(self, owner: TranscriptionJob, action: Action, seen: Observation) -> Observation:
        """Carry out one action; the observation after it.

        Raises:
            SpecError: the job asks for what cannot be done.
            ConflictError: something has changed since it was observed.
            KubeError: the API server refused or did not answer.
        """
        namespace = owner.metadata.namespace
        match action:
            case CreateJob(active_deadline):
                return await self._create(owner, active_deadline)
            case ChangeJob():
                return await self._change(owner, action, seen)
            case DeleteJob(name, uid):
                log.info("deleting Job %s", name)
                await self._cluster.delete_job(namespace, name, uid)
            case EndPod() | MarkDeleted():
                return await self._write_pod(namespace, action, seen)
            case DeleteOwner():
                await self._delete_owner(owner)
                return replace(seen, gone=True)
        return seen

    async def _change(
        self, owner: TranscriptionJob, action: ChangeJob, seen: Observation
    ) -> Observation:
        spec = dict(action.spec)
        if seen.job and owner.spec.workers > (seen.job.workers or 0):
            # What was checked when the Job was created was a smaller number.
            try:
                allowed_pool(owner, self._settings)
            except SpecError as error:
                seen = replace(seen, not_scaled=str(error))
                spec = {key: spec[key] for key in spec.keys() - SCALE}
        if spec:
            log.info("changing Job %s: %s", action.name, spec)
            changed = await self._cluster.change_job(
                owner.metadata.namespace, action.name, action.uid, spec, dict(action.annotations)
            )
            self._caches.put_job(changed)
            # The answer may tell of more than our change; the watch will not tell of that again.
            seen = replace(seen, job=ObservedJob.parse(changed))
        return seen

    async def _write_pod(
        self, namespace: str, action: EndPod | MarkDeleted, seen: Observation
    ) -> Observation:
        """Where that is refused the pod stays as it is, the rest of the job is looked after, and it
        is tried again after a while."""
        now = self._clock()
        of_pod = (namespace, type(action).__name__, action.name)
        if any(now < self._write_again.get(key, now) for key in (of_pod, of_pod[:2])):
            return seen
        try:
            answer = await self._written(namespace, action)
        except ApiError as error:
            if isinstance(error, ConflictError) or error.is_transient:
                raise
            # A policy has refused this pod; without the right, it would be the same of each.
            by_role = error.is_forbidden and not refusals.is_denial(error.message)
            self._write_again = {key: at for key, at in self._write_again.items() if at > now}
            self._write_again[of_pod[:2] if by_role else of_pod] = now + _REFUSED_FOR
            log.warning("the status of pod %s cannot be written: %s", action.name, error.message)
            return seen
        after = ObservedPod.parse(answer) if answer else None
        if answer and after:
            self._caches.put_pod(answer)
        others = (pod for pod in seen.pods if pod.name != action.name)
        return replace(seen, pods=(*others, *((after,) if after else ())))

    async def _written(self, namespace: str, action: EndPod | MarkDeleted) -> Manifest | None:
        if isinstance(action, MarkDeleted):
            return await self._cluster.mark_deleted(namespace, action.name)
        status = {"phase": action.phase, "message": action.message}
        if action.reason:
            status["reason"] = action.reason
        # The kubelet of a lost node stops nothing, so that it need not be told to.
        lost = action.reason is not None
        answer = await self._cluster.end_pod(namespace, action.name, status, told=not lost)
        log.warning("pod %s is marked %s: %s", action.name, action.phase, action.message)
        return answer

    async def _delete_owner(self, owner: TranscriptionJob) -> None:
        """What was decided from the cache is done only to what the cache has: a TTL may have been
        raised, or a retry asked for, since."""
        metadata = owner.metadata
        log.info("deleting: ttlSecondsAfterFinished is over")
        try:
            await self._cluster.delete_transcription_job(
                metadata.namespace, metadata.name, metadata.uid, metadata.resource_version
            )
        except ConflictError:
            there = await self._cluster.get_transcription_job(metadata.namespace, metadata.name)
            if there is not None:
                self._caches.put_owner(there)
            raise

    async def _create(self, owner: TranscriptionJob, active_deadline: int | None) -> Observation:
        manifest = desired_job(owner, self._settings, owner.attempt, active_deadline)
        namespace, name = owner.metadata.namespace, manifest["metadata"]["name"]
        if owner.status.phase is not None and not self._caches.refused_jobs.knows(owner.key):
            await self._check_that_it_is_there(owner)
        try:
            created = await self._cluster.create_job(namespace, manifest)
        except ApiError as error:
            if isinstance(error, ConflictError) and not refusals.is_denial(error.message):
                return await self._created_before(owner, name)
            if refusals.is_trouble(error.status, error.message):
                return self._troubled(owner, error.message, error.retry_after)
            return self._refused(owner, _refusal(error))
        except UnreachableError as error:
            return self._troubled(owner, str(error))
        log.info("created Job %s", name)
        self._caches.put_job(created)
        self._caches.refused_jobs.accepted(owner.key, self._clock())
        return Observation(ObservedJob.parse(created))

    async def _created_before(self, owner: TranscriptionJob, name: str) -> Observation:
        """The Job of that name: created before the operator was restarted, or the cache is late."""
        namespace = owner.metadata.namespace
        there = await self._cluster.get_job(namespace, name)
        job = ObservedJob.parse(there) if there else None
        if there is None or job is None or job.deleting:
            raise ConflictError(409, f"Job {name} is being deleted")
        if job.owner_uid != owner.metadata.uid:
            return self._refused(owner, refusals.name_taken(namespace, name))
        self._caches.put_job(there)
        if job.finished:
            raise ConflictError(409, f"Job {name} has ended: its pods tell how")
        return self._caches.observe(owner)

    def _refused(self, owner: TranscriptionJob, failure: Failure) -> Observation:
        again = self._caches.refused_jobs.add(owner, failure, self._clock())
        return Observation(refused=failure, again=again)

    def _troubled(
        self, owner: TranscriptionJob, message: str, asked_wait: float | None = None
    ) -> Observation:
        log.warning("the API server failed to create the Job: %s", message)
        refused_jobs = self._caches.refused_jobs
        failure, again = refused_jobs.add_trouble(owner, message, self._clock(), asked_wait)
        return Observation(refused=failure, again=again)

    async def _check_that_it_is_there(self, owner: TranscriptionJob) -> None:
        """Before a Job is created for a TranscriptionJob that is not new: if no watch has reported
        its deletion, the garbage collector would delete the Job, again and again."""
        metadata = owner.metadata
        found = await self._cluster.get_transcription_job(metadata.namespace, metadata.name)
        there = found["metadata"] if found else {}
        if there.get("uid") != metadata.uid or "deletionTimestamp" in there:
            self._caches.drop(owner)
            raise ConflictError(404, f"{owner.key} is gone")


def _refusal(error: ApiError) -> Failure:
    if refusals.is_final(error.status, error.message):
        raise SpecError(f"the API server refuses the Job: {error.message}") from error
    refusal = refusals.of_job(error.status, error.message)
    if refusal is None:
        raise error
    return refusal
