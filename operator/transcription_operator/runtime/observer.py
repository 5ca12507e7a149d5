"""All looking that one reconciliation does: the caches, and what only the API server can tell."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies import lost_nodes, suspension, workers
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster

_NODES_AT_ONCE = 8


class Observer:
    """Makes an Observation of a TranscriptionJob."""

    def __init__(self, cluster: Cluster, caches: Caches, clock: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._caches = caches
        self._clock = clock

    async def observe(self, owner: TranscriptionJob) -> Observation:
        """What there is of a job now.

        Raises:
            KubeError: the API server was queried, and did not answer.
        """
        seen = self._refused(owner, await self._explained(owner, self._caches.observe(owner)))
        return replace(
            seen,
            silent_nodes=await self._silent_nodes(seen),
            ending=await self._is_ending(owner, seen),
        )

    async def _explained(self, owner: TranscriptionJob, seen: Observation) -> Observation:
        """The end is written once: if the Job's watch was faster than that of its pods, or theirs
        is dead, the pods are listed."""
        if owner.is_finished or seen.job is None or workers.is_explained(seen):
            return seen
        metadata = owner.metadata
        listed = await self._cluster.pods_of(metadata.namespace, metadata.uid)
        pods = (ObservedPod.parse(pod) for pod in listed)
        return replace(seen, pods=tuple(p for p in pods if p.owner_uid == seen.job.uid))

    def _refused(self, owner: TranscriptionJob, seen: Observation) -> Observation:
        """With the refusal of a Job that is not to be created again yet."""
        refused_jobs, now = self._caches.refused_jobs, self._clock()
        if seen.job or owner.is_finished or suspension.is_held_back(owner, seen):
            refused_jobs.forget(owner.key, now)
            return seen
        waiting = refused_jobs.waiting(owner, now)
        return replace(seen, refused=waiting[0], again=waiting[1]) if waiting else seen

    async def _silent_nodes(self, seen: Observation) -> frozenset[str]:
        overdue = lost_nodes.overdue(seen.pods, self._clock())
        nodes = sorted({pod.node for pod in overdue if pod.node and not pod.evicted})
        silent: set[str] = set()
        for begin in range(0, len(nodes), _NODES_AT_ONCE):
            asked = nodes[begin : begin + _NODES_AT_ONCE]
            answers = await asyncio.gather(*map(self._cluster.is_silent, asked))
            silent.update(node for node, answer in zip(asked, answers, strict=True) if answer)
        return frozenset(silent)

    async def _is_ending(self, owner: TranscriptionJob, seen: Observation) -> bool:
        """Queried only when pods of a Job that is not over are being deleted, suspended or not: its
        failed pods wait for their successors all the same."""
        if seen.job is None or seen.job.finished or not any(pod.deleting for pod in seen.pods):
            return False
        return await self._cluster.is_ending(owner.metadata.namespace)
