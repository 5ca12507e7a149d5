"""The operator at work: caches that follow the API server, and a workqueue.

All parts end together: an operator whose watches run without its workqueue, or the other way round,
looks alive and does nothing. When one part ends, the process ends, and the kubelet starts another.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterable
from typing import Any

from transcription_api.status import Status
from transcription_api.transcriptionjob import Resource
from transcription_kube.errors import ConflictError, KubeError
from transcription_kube.informer import Informer
from transcription_kube.permitted import IfPermitted
from transcription_operator.policies.observation import ObservedJob, ObservedPod
from transcription_operator.policies.refusals import PodRefusal
from transcription_operator.policies.slots import Limits
from transcription_operator.runtime import logs
from transcription_operator.runtime.admission import Admission
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.health import Health, stale
from transcription_operator.runtime.metrics import Metrics
from transcription_operator.runtime.operator_metrics import Result
from transcription_operator.runtime.owners import Kept, Owners
from transcription_operator.runtime.reconciler import Reconciler
from transcription_operator.runtime.refused_pods import Unkept
from transcription_operator.runtime.scope import Scope
from transcription_operator.runtime.scraper import Query, Scraper
from transcription_operator.runtime.workqueue import WorkQueue
from transcription_operator.settings import Settings

_DEAD_SECONDS = 400.0
"""A loop that lives does something more often: a silent watch is cut after 100 s, a request after
30 s, and no pause is longer than a minute."""

log = logging.getLogger(__name__)


class App:
    """One cluster's TranscriptionJobs, from the first list on.

    Args:
        query: reads a worker's metrics.
        metrics: notified of reconciliations and of jobs that end.
    """

    def __init__(
        self, cluster: Cluster, settings: Settings, query: Query, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        limits = Limits(settings.max_active_jobs, settings.max_active_jobs_per_namespace)
        selector = settings.watch_namespace_selector
        self._scope = Scope(
            settings.class_name,
            cluster.namespaces(selector) if selector else None,
            lambda namespace: self._owners[0].enter(cluster.transcription_jobs(namespace)),
            self._namespace_gone,
        )
        owners = Owners(
            is_ours=self._scope.is_ours,
            labels=settings.propagated_labels,
            annotations=settings.propagated_annotations,
        )
        self.caches = Caches(lambda key: self.queue.add(key), owners)
        self._admission = Admission(self.caches, limits, lambda key: self.queue.add(key))
        self._scraper = Scraper(
            query,
            self.caches.workers,
            settings.progress_interval_seconds,
            lambda key: self.queue.add(key),
        )
        self._reconciler = Reconciler(
            cluster,
            self.caches,
            settings,
            self._scraper.readings,
            self._written,
            admit=self._admission.admit,
        )
        self.queue = WorkQueue(self._reconcile, observer=metrics.queue)
        namespaces = settings.watch_namespaces or (None,)
        self._owners = [self._owner_informer(cluster, each) for each in namespaces]
        self._informers: list[Informer[Any]] = [
            *self._scope.informers,
            *self._owners,
            *(
                make(cluster, each)
                for make in (self._job_informer, self._pod_informer)
                for each in namespaces
            ),
        ]
        self._refusals = [self._refusal_informer(cluster, each) for each in namespaces]
        self.ready = asyncio.Event()

    async def run(self, stop: asyncio.Event, health: Health) -> None:
        """Work until ``stop`` is set, or something breaks.

        Raises:
            KubeError: a first list was refused: a role or the CRD is missing.
            Exception: whatever a part of the operator did not foresee, logged as soon as it did.
        """
        self._report(health)
        loading = asyncio.create_task(self._load(), name="loading")
        tasks = [
            loading,
            asyncio.create_task(stop.wait(), name="stop"),
            *(asyncio.create_task(self._follow(each), name=f"informer of {each.name}")
              for each in self._informers),
        ]  # fmt: skip
        try:
            if loading in await _until_one_ends(tasks):
                tasks.remove(loading)
                self._announce()
                tasks += self._start()
                await _until_one_ends(tasks)
        finally:
            await _cancel(*tasks)

    async def _follow(self, informer: Informer[Any]) -> None:
        """One first list after the other, since each takes tens of megabytes while it is read; that
        of namespaces comes first, because of those that are not known nothing would be kept."""
        await _synced(self._informers[: self._informers.index(informer)])
        await informer.run()

    async def _load(self) -> None:
        """All kinds, before anything is reconciled: what is not known yet looks like gone."""
        await _synced(self._informers)
        await self._admission.load()
        # What was imported and listed mostly stays: every full collection would look at it again,
        # and stop the event loop for up to 0.1 s with 10,000 jobs.
        gc.collect()
        gc.freeze()

    def _start(self) -> "list[asyncio.Task[Any]]":
        return [
            # Events are about Jobs, which have to be known before.
            *(
                asyncio.create_task(each.run(), name=f"informer of {each.name}")
                for each in self._refusals
            ),
            asyncio.create_task(self._scope.run(), name="arrivals of namespaces"),
            asyncio.create_task(self._scraper.run(), name="scraper"),
            asyncio.create_task(self.queue.run(), name="workqueue"),
        ]

    def _report(self, health: Health) -> None:
        """Have metrics say how old the caches are, and /healthz whether a loop is dead.

        Two ages: while the API server does not answer, caches grow old, and the loops that try to
        reach it are alive; a restart would only lose what they know.
        """
        for resource in sorted({each.name for each in self._informers}):
            informers = [each for each in self._informers if each.name == resource]
            self._metrics.operator.follow_watch(resource, _longest(i.age for i in informers))
            idle = _longest(i.idle for i in informers)
            health.check(stale(f"the informer of {resource}", idle, _DEAD_SECONDS))
        owners = self.caches.owners
        self._metrics.jobs.follow_jobs(owners.phases, owners.longest)
        self._metrics.jobs.follow_progress(self._scraper.standstill)

    async def _reconcile(self, key: str) -> float | None:
        result = Result.ERROR
        with logs.about(key):
            try:
                again = await self._reconciler.reconcile(key)
                result = Result.of(again)
                return again
            except ConflictError:
                result = Result.REQUEUE
                raise
            finally:
                self._metrics.operator.count_reconcile(result)

    def _written(self, owner: Resource, after: Status) -> None:
        if owner.status.phase is after.phase or not (after.phase and after.phase.finished):
            return
        created, ended = owner.metadata.creation_timestamp, after.completion_time
        began = after.running_since
        self._metrics.jobs.observe_finished(
            after.phase,
            after.reason or "",
            waited=(began - created).total_seconds() if began and created else None,
            ran=(ended - began).total_seconds() if began and ended else None,
            audio=after.result.audio_seconds if after.result else None,
            warnings=(after.result.warnings if after.result else None) or 0,
            suspect_segments=(after.result.suspect_segments if after.result else None) or 0,
        )

    def _announce(self) -> None:
        self.ready.set()
        where = ", ".join(self._settings.watch_namespaces) or "all namespaces"
        if selector := self._settings.watch_namespace_selector:
            where = f"namespaces with the labels {selector}"
        of_class = f" of class {name}" if (name := self._settings.class_name) else ""
        log.info("watching TranscriptionJobs%s in %s", of_class, where)

    def _namespace_gone(self, namespace: str) -> None:
        for key in self.caches.owners.drop_namespace(namespace):
            self.queue.add(key)

    def _owner_informer(self, cluster: Cluster, namespace: str | None) -> Informer[Kept]:
        owners = self.caches.owners
        source = cluster.transcription_jobs(namespace)
        return Informer(source, owners.store, owners.parse, self._owner_changed)

    def _owner_changed(self, key: str, _before: Kept | None, _now: Kept | None) -> None:
        self.queue.add(key)

    def _job_informer(self, cluster: Cluster, namespace: str | None) -> Informer[ObservedJob]:
        return Informer(
            cluster.jobs(namespace), self.caches.jobs, ObservedJob.parse, self._job_changed
        )

    def _pod_informer(self, cluster: Cluster, namespace: str | None) -> Informer[ObservedPod]:
        return Informer(
            cluster.pods(namespace), self.caches.pods, ObservedPod.parse, self._child_changed
        )

    def _refusal_informer(self, cluster: Cluster, namespace: str | None) -> Informer[PodRefusal]:
        events = IfPermitted(
            cluster.pod_refusals(namespace), "status does not show why a Job gets no pods"
        )
        return Informer(events, Unkept(), PodRefusal.parse, self._pods_refused)

    def _pods_refused(self, _: str, _before: PodRefusal | None, refusal: PodRefusal | None) -> None:
        owner = self.caches.refused_pods.put(refusal) if refusal else None
        if owner and self.caches.owners.knows(owner):
            self.queue.add(owner)

    def _job_changed(self, key: str, before: ObservedJob | None, now: ObservedJob | None) -> None:
        if before and (now is None or now.uid != before.uid):
            self.caches.refused_pods.forget(before.uid)
        self._child_changed(key, before, now)

    def _child_changed(
        self,
        _: str,
        before: ObservedJob | ObservedPod | None,
        now: ObservedJob | ObservedPod | None,
    ) -> None:
        child = now or before
        if child and child.owner and self.caches.owners.knows(child.owner):
            self.queue.add(child.owner)


async def _synced(informers: "Iterable[Informer[Any]]") -> None:
    for each in informers:
        await each.synced.wait()


def _longest(ages: Iterable[Callable[[], float]]) -> Callable[[], float]:
    several = tuple(ages)
    return lambda: max(age() for age in several)


async def _until_one_ends(tasks: "Iterable[asyncio.Task[Any]]") -> "set[asyncio.Task[Any]]":
    """Those that end first; raises what one of them has raised.

    What nobody foresaw is logged here and now: the process ends only when all else has stopped.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, KubeError):
            log.critical("%s failed; the operator ends", task.get_name(), exc_info=error)
        task.result()
    return done


async def _cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
