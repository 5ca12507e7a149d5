"""Pods that the API server refuses the Job controller: the latest refusal of each of our Jobs."""

from transcription_kube.store import Store
from transcription_operator.policies.observation import ObservedJob
from transcription_operator.policies.refusals import PodRefusal


class RefusedPods:
    """Filled from the watch of FailedCreate Events, which covers all Jobs of the cluster.

    Keeps at most one refusal for each Job of ``jobs``, until the Job is gone: an Event expires
    after an hour, when the Job may still be refused its pods.
    """

    def __init__(self, jobs: Store[ObservedJob]) -> None:
        self._jobs = jobs
        self._latest: dict[str, PodRefusal] = {}

    def __len__(self) -> int:
        return len(self._latest)

    def of(self, job: ObservedJob) -> PodRefusal | None:
        """The latest refusal of a Job's pods."""
        return self._latest.get(job.uid)

    def put(self, refusal: PodRefusal) -> str | None:
        """Keep a refusal that is news; the owner to reconcile, namespace/name, if it is."""
        job = self._jobs.get(refusal.job)
        if job is None or job.uid != refusal.job_uid:
            return None
        if not refusal.is_news(self._latest.get(job.uid), job):
            return None
        self._latest[job.uid] = refusal
        return job.owner

    def forget(self, job_uid: str) -> None:
        """The Job is gone."""
        self._latest.pop(job_uid, None)


class Unkept(Store[PodRefusal]):
    """An informer's store of Events: it keeps none of them."""

    def __init__(self) -> None:
        super().__init__(lambda *_: None)

    def put(self, key: str, item: PodRefusal | None) -> PodRefusal | None:  # noqa: ARG002
        """Keep nothing."""
        return None
