"""Everything that visits look at: the owners, their Jobs and pods, and the queue's order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_kube.informer import Store
from transcription_operator.policies import names, refusals
from transcription_operator.policies.observation import Observation, ObservedJob, ObservedPod
from transcription_operator.policies.queueing import Candidate, Limits, queue
from transcription_operator.runtime.owners import Owners
from transcription_operator.runtime.refused_jobs import RefusedJobs
from transcription_operator.runtime.refused_pods import RefusedPods

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class RunningJob:
    """A Job with running workers. ``owner``: its TranscriptionJob, as namespace/name."""

    uid: str
    owner: str
    pods: tuple[ObservedPod, ...]


class Caches:
    """Filled by informers and by what the operator itself writes.

    ``free``: called with the keys of jobs that may run now and could not before: it is their turn
    in the queue, or the API server has begun to accept Jobs of their namespace.
    """

    def __init__(
        self, limits: Limits, free: Callable[[str], None], owners: Owners | None = None
    ) -> None:
        self.owners = Owners() if owners is None else owners
        self.jobs: Store[ObservedJob] = Store(lambda _key, _job: None)
        self.pods: Store[ObservedPod] = Store(_job_of)
        self.refused_jobs = RefusedJobs(free)
        self.refused_pods = RefusedPods(self.jobs)
        self._limits = limits
        self._free = free
        self._candidates: dict[str, Candidate] = {}
        self._waiting: dict[str, int] | None = {}

    def put_job(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered, without waiting for the watch to tell."""
        job = ObservedJob.parse(manifest)
        self.jobs.learn(f"{manifest['metadata']['namespace']}/{job.name}", job)

    def put_pod(self, manifest: dict[str, Any]) -> None:
        """Likewise of a pod."""
        pod = ObservedPod.parse(manifest)
        self.pods.learn(f"{manifest['metadata']['namespace']}/{pod.name}", pod)

    def owner(self, key: str) -> TranscriptionJob | None:
        """The TranscriptionJob namespace/name, or None when it is gone."""
        return self.owners.get(key)

    def put_owner(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered to a write of a TranscriptionJob's status."""
        self.owners.put(manifest)
        owner = TranscriptionJob.model_validate(manifest)
        self.update_queue(owner.key, owner)

    def drop(self, owner: TranscriptionJob) -> None:
        """Forget a TranscriptionJob that the API server no longer has."""
        self.owners.drop(owner.key, int(owner.metadata.resource_version))
        self.update_queue(owner.key, None)

    def workers(self) -> Iterator[RunningJob]:
        """The Jobs of existing TranscriptionJobs that have running pods.

        Without those of a deleted TranscriptionJob whose name a new one has: the garbage collector
        takes its time.
        """
        for key, job in self.jobs.items.items():
            if job.finished or job.owner is None or job.owner_uid is None:
                continue
            if self.owners.uid(job.owner) != job.owner_uid:
                continue
            pods = tuple(pod for pod in self._pods_of(key, job) if pod.running and pod.ip)
            if pods:
                yield RunningJob(job.uid, job.owner, pods)

    def observe(self, owner: TranscriptionJob) -> Observation:
        """A TranscriptionJob's children, why it has none, and its place in the queue."""
        metadata = owner.metadata
        name = names.child_name(metadata.name, metadata.uid, owner.attempt)
        key = f"{metadata.namespace}/{name}"
        job = self.jobs.get(key)
        queued = self._position(owner.key)
        if job is None:
            return Observation(queued=queued)
        if job.deleting:
            return Observation(leaving=True, queued=queued)
        if job.owner_uid != metadata.uid:
            return Observation(refused=refusals.name_taken(metadata.namespace, name), queued=queued)
        pods = self._pods_of(key, job)
        refused = refusals.of_pods(job, pods, self.refused_pods.of(job))
        return Observation(job, pods, refused, queued=queued)

    def _pods_of(self, key: str, job: ObservedJob) -> tuple[ObservedPod, ...]:
        return self.pods.group(_in_namespace_of(key, job.uid))

    def update_queue_of_all(self) -> None:
        """Note what every TranscriptionJob wants of the queue, at once."""
        if not self._limits.any:
            return
        everyone = filter(None, map(self.owners.get, self.owners.all()))
        found = filter(None, map(self._candidate, everyone))
        self._candidates = {candidate.key: candidate for candidate in found}
        self._waiting = None

    def update_queue(self, key: str, owner: TranscriptionJob | None) -> None:
        """Note what a TranscriptionJob wants of the queue."""
        if not self._limits.any:
            return
        candidate = self._candidate(owner) if owner else None
        if candidate == self._candidates.get(key):
            return
        if candidate is None:
            self._candidates.pop(key, None)
        else:
            self._candidates[key] = candidate
        before, self._waiting = self._waiting, None
        for freed in (before or {}).keys() - self._positions().keys():
            self._free(freed)

    def _candidate(self, owner: TranscriptionJob) -> Candidate | None:
        spec, past = owner.spec, owner.status
        if spec.suspend or spec.queue_name is not None or (past.phase and past.phase.finished):
            return None
        name = names.child_name(owner.metadata.name, owner.metadata.uid, owner.attempt)
        job = self.jobs.get(f"{owner.metadata.namespace}/{name}")
        if job and job.queue:
            return None
        has_begun = past.phase in (Phase.PENDING, Phase.RUNNING) and past.job_name is not None
        return Candidate(
            key=owner.key,
            namespace=owner.metadata.namespace,
            priority=spec.priority,
            created=owner.metadata.creation_timestamp or _LONG_AGO,
            uid=owner.metadata.uid,
            active=not (job.suspended or job.finished) if job else has_begun,
        )

    def _position(self, key: str) -> int | None:
        return self._positions().get(key)

    def _positions(self) -> dict[str, int]:
        if self._waiting is None:
            self._waiting = queue(self._candidates.values(), self._limits)
        return self._waiting


def _job_of(key: str, pod: ObservedPod) -> str | None:
    """The index of pods: their Job's namespace and uid.

    The uid alone would let a pod of another namespace, whose creator chooses its ownerReferences,
    report a result for the Job.
    """
    return _in_namespace_of(key, pod.owner_uid) if pod.owner_uid else None


def _in_namespace_of(key: str, uid: str) -> str:
    return f"{key.partition('/')[0]}/{uid}"
