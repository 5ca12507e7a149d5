"""Actions, carried out."""

import logging
from dataclasses import replace

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_kube.errors import ApiError, ConflictError
from transcription_operator.errors import SpecError
from transcription_operator.policies import refusals
from transcription_operator.policies.actions import (
    Action,
    ChangeJob,
    CreateJob,
    DeleteJob,
    DeleteOwner,
    ReleasePod,
)
from transcription_operator.policies.job import desired_job
from transcription_operator.policies.observation import Observation, ObservedJob
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.settings import Settings

log = logging.getLogger(__name__)


class Executor:
    """Does what the policies have decided, and notes what the API server answers."""

    def __init__(self, cluster: Cluster, caches: Caches, settings: Settings) -> None:
        self._cluster = cluster
        self._caches = caches
        self._settings = settings

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
            case DeleteOwner():
                log.info("deleting: ttlSecondsAfterFinished is over")
                await self._cluster.delete_transcription_job(
                    namespace, owner.metadata.name, owner.metadata.uid
                )
                return replace(seen, gone=True)
        return seen

    async def _create(self, owner: TranscriptionJob, active_deadline: int | None) -> Observation:
        manifest = desired_job(owner, self._settings, owner.attempt, active_deadline)
        namespace, name = owner.metadata.namespace, manifest["metadata"]["name"]
        if owner.status.phase is not None:
            await self._check_that_it_is_there(owner)
        try:
            created = await self._cluster.create_job(namespace, manifest)
        except ConflictError:
            return await self._created_before(owner, name)
        except ApiError as error:
            return _refused(error)
        log.info("created Job %s", name)
        self._caches.put_job(created)
        return Observation(ObservedJob.parse(created))

    async def _created_before(self, owner: TranscriptionJob, name: str) -> Observation:
        """The Job of that name: created before the operator was restarted, or the cache is late."""
        there = await self._cluster.get_job(owner.metadata.namespace, name)
        job = ObservedJob.parse(there) if there else None
        if there is None or job is None or job.deleting or job.owner_uid != owner.metadata.uid:
            raise ConflictError(409, f"there is another Job {name}")
        self._caches.put_job(there)
        return self._caches.observe(owner)

    async def _check_that_it_is_there(self, owner: TranscriptionJob) -> None:
        """Before a Job is created for a TranscriptionJob that is not new: if no watch has reported
        its deletion, the garbage collector would delete the Job, again and again."""
        metadata = owner.metadata
        uid = await self._cluster.uid_of(metadata.namespace, metadata.name)
        if uid != metadata.uid:
            self._caches.drop(owner)
            raise ConflictError(404, f"{owner.key} is gone")


def _refused(error: ApiError) -> Observation:
    if refusals.is_final(error.status):
        raise SpecError(f"the API server refuses the Job: {error}") from error
    refusal = refusals.of_job(error.status, str(error))
    if refusal is None:
        raise error
    return Observation(refused=refusal)
