"""Everything that reconciling looks at: the owners, their Jobs and pods."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from transcription_api.reading import Unreadable
from transcription_api.transcriptionjob import Resource, TranscriptionJob
from transcription_kube.keys import key_of, namespace_of
from transcription_kube.store import Store
from transcription_operator.policies import names, refusals
from transcription_operator.policies.observation import Observation, ObservedJob, ObservedPod
from transcription_operator.runtime.owners import Owners
from transcription_operator.runtime.refused_jobs import RefusedJobs
from transcription_operator.runtime.refused_pods import RefusedPods


@dataclass(frozen=True)
class RunningJob:
    """A Job with running workers. ``owner``: its TranscriptionJob, as namespace/name."""

    uid: str
    owner: str
    pods: tuple[ObservedPod, ...]


class Caches:
    """Filled by informers and by what the operator itself writes.

    ``on_accepted``: called with the keys of jobs to reconcile when the API server has begun to
    accept Jobs of their namespace. ``owners``: those of this operator.
    """

    def __init__(self, on_accepted: Callable[[str], None], owners: Owners | None = None) -> None:
        self.owners = Owners() if owners is None else owners
        self.jobs: Store[ObservedJob] = Store(lambda _key, _job: None)
        self.pods: Store[ObservedPod] = Store(_job_of)
        self.refused_jobs = RefusedJobs(on_accepted)
        self.refused_pods = RefusedPods(self.jobs)

    def put_job(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered, without waiting for the watch to tell."""
        self.jobs.learn(key_of(manifest), ObservedJob.parse(manifest))

    def put_pod(self, manifest: dict[str, Any]) -> None:
        """Likewise of a pod."""
        self.pods.learn(key_of(manifest), ObservedPod.parse(manifest))

    def owner(self, key: str) -> TranscriptionJob | Unreadable | None:
        """The TranscriptionJob namespace/name, or None when it is gone."""
        return self.owners.get(key)

    def put_owner(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered to a write of a TranscriptionJob's status."""
        self.owners.learn(manifest)

    def drop(self, owner: Resource) -> None:
        """Forget a TranscriptionJob that the API server no longer has."""
        self.owners.drop(owner.key, int(owner.metadata.resource_version))

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

    def child(self, owner: Resource) -> ObservedJob | None:
        """The Job that has the name of a TranscriptionJob's current attempt."""
        metadata = owner.metadata
        name = names.child_name(metadata.name, metadata.uid, owner.attempt)
        return self.jobs.get(f"{metadata.namespace}/{name}")

    def observe(self, owner: TranscriptionJob) -> Observation:
        """A TranscriptionJob's children, or why it has none."""
        job, metadata = self.child(owner), owner.metadata
        if job is None:
            return Observation()
        if job.deleting:
            return Observation(leaving=True)
        if job.owner_uid != metadata.uid:
            return Observation(refused=refusals.name_taken(metadata.namespace, job.name))
        pods = self._pods_of(owner.key, job)
        return Observation(job, pods, refusals.of_pods(job, pods, self.refused_pods.of(job)))

    def _pods_of(self, key: str, job: ObservedJob) -> tuple[ObservedPod, ...]:
        return self.pods.group(_in_namespace_of(key, job.uid))


def _job_of(key: str, pod: ObservedPod) -> str | None:
    """The index of pods: their Job's namespace and uid.

    The uid alone would let a pod of another namespace, whose creator chooses its ownerReferences,
    report a result for the Job.
    """
    return _in_namespace_of(key, pod.owner_uid) if pod.owner_uid else None


def _in_namespace_of(key: str, uid: str) -> str:
    return f"{namespace_of(key)}/{uid}"
