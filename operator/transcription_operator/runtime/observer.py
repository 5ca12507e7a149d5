"""All looking that one reconciliation does: the caches, and what only the API server can tell."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies import lost_nodes, suspension, workers
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.phase import phase_of
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster

_NODES_AT_ONCE = 8


class Observer:
    """Makes an Observation of a TranscriptionJob.

    ``lost_nodes``: whether pods on lost nodes are to be released.
    """

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        clock: Callable[[], datetime],
        lost_nodes: bool = True,
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._clock = clock
        self._lost_nodes = lost_nodes

    async def observe(self, owner: TranscriptionJob) -> Observation:
        """What there is of a job now.

        Raises:
            KubeError: the API server was queried, and did not answer.
        """
        seen = self._refused(owner, await self._explained(owner, self._caches.observe(owner)))
        silent, unknown = await self._nodes(seen)
        return replace(
            seen,
            silent_nodes=silent,
            unknown_nodes=unknown,
            ending=await self._is_ending(owner, seen),
            may_release=self._lost_nodes,
        )

    async def _explained(self, owner: TranscriptionJob, seen: Observation) -> Observation:
        """The end is written once: if the Job's watch was faster than that of its pods, or theirs
        is dead, the pods are listed; and always before a job is given up that its Job is not."""
        if owner.is_finished or seen.job is None:
            return seen
        if workers.is_explained(seen) and not self._is_given_up(owner, seen):
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

    def _is_given_up(self, owner: TranscriptionJob, seen: Observation) -> bool:
        failed = phase_of(owner, seen, self._clock()).phase is Phase.FAILED
        return failed and not (seen.job and seen.job.failed)

    async def _nodes(self, seen: Observation) -> tuple[frozenset[str], frozenset[str]]:
        """Those of overdue pods that are silent, and those of which we may not know."""
        pods = lost_nodes.overdue(seen.pods, self._clock()) if self._lost_nodes else []
        nodes, silent = sorted({pod.node for pod in pods if pod.node}), dict[str, bool | None]()
        for begin in range(0, len(nodes), _NODES_AT_ONCE):
            asked = nodes[begin : begin + _NODES_AT_ONCE]
            answers = await asyncio.gather(*map(self._cluster.is_silent, asked))
            silent.update(zip(asked, answers, strict=True))
        return (
            frozenset(node for node, is_silent in silent.items() if is_silent),
            frozenset(node for node, is_silent in silent.items() if is_silent is None),
        )

    async def _is_ending(self, owner: TranscriptionJob, seen: Observation) -> bool:
        """Queried only when pods of a Job that is not over are being deleted, suspended or not: its
        failed pods wait for their successors all the same."""
        if seen.job is None or seen.job.finished or not any(pod.deleting for pod in seen.pods):
            return False
        return await self._cluster.is_ending(owner.metadata.namespace)
