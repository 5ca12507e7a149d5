"""Everything that visits look at: the owners, their Jobs and pods, and the queue's order."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_kube.informer import Store
from transcription_operator.policies import names
from transcription_operator.policies.observation import Observation, ObservedJob, ObservedPod
from transcription_operator.policies.queueing import Candidate, Limits, queue
from transcription_operator.runtime.owners import Owners, key_of

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Caches:
    """Filled by informers and by what the operator itself writes.

    ``free``: called with the keys of jobs that may run now and could not before.
    """

    def __init__(self, limits: Limits, free: Callable[[str], None]) -> None:
        self.owners = Owners()
        self.jobs: Store[ObservedJob] = Store(lambda _: None)
        self.pods: Store[ObservedPod] = Store(lambda pod: pod.owner_uid)
        self._limits = limits
        self._free = free
        self._candidates: dict[str, Candidate] = {}
        self._waiting: dict[str, int] | None = {}

    def put_job(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered, without waiting for the watch to tell."""
        job = ObservedJob.parse(manifest)
        self.jobs.learn(f"{manifest['metadata']['namespace']}/{job.name}", job)

    def owner(self, key: str) -> TranscriptionJob | None:
        """The TranscriptionJob namespace/name, or None when it is gone."""
        return self.owners.get(key)

    def put_owner(self, manifest: dict[str, Any]) -> None:
        """Keep what the API server answered to a write of a TranscriptionJob's status."""
        self.owners.learn(manifest)
        key = key_of(manifest)
        self.update_queue(key, self.owners.get(key))

    def drop(self, owner: TranscriptionJob) -> None:
        """Forget a TranscriptionJob that the API server no longer has."""
        self.owners.drop(owner.key, int(owner.metadata.resource_version))
        self.update_queue(owner.key, None)

    def workers(self) -> Iterator[tuple[str, ObservedPod]]:
        """The running pods of our Jobs, each with the namespace/name of its TranscriptionJob.

        Anybody who may make pods can give one our label; the owner is set by the controller.
        """
        for job in self.jobs.items.values():
            if job.owner is None or job.finished or not self.owners.knows(job.owner):
                continue
            for pod in self.pods.group(job.uid):
                if pod.running and pod.ip:
                    yield job.owner, pod

    def observe(self, owner: TranscriptionJob) -> Observation:
        """A TranscriptionJob's children, and its place in the queue."""
        metadata = owner.metadata
        name = names.child_name(metadata.name, metadata.uid, owner.attempt)
        job = self.jobs.get(f"{metadata.namespace}/{name}")
        queued = self._position(owner.key)
        if job and (job.deleting or job.owner_uid != metadata.uid):
            return Observation(leaving=True, queued=queued)
        return Observation(job, self.pods.group(job.uid) if job else (), queued=queued)

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
