"""Which TranscriptionJobs this operator runs: those of its class, in namespaces whose labels match
the selector of the settings.

The API server evaluates the selector: its watch reports a namespace whose labels no longer match as
deleted.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from transcription_kube.errors import KubeError
from transcription_kube.informer import Informer, Source, Store
from transcription_operator.policies import operator_class

Json = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Namespace:
    name: str
    version: int = field(compare=False)

    @classmethod
    def parse(cls, found: Json) -> "_Namespace":
        metadata = found["metadata"]
        return cls(metadata["name"], int(metadata["resourceVersion"]))


class Scope:
    """The jobs that are this operator's, and what happens when a namespace comes or goes.

    Args:
        class_name: spec.operatorClassName of the jobs.
        namespaces: those whose labels match; None for all namespaces.
        jobs_of: the TranscriptionJobs of a namespace.
        on_job: called with each TranscriptionJob of a namespace that has come.
        on_gone: called with a namespace that is no longer watched.
    """

    def __init__(
        self,
        class_name: str,
        namespaces: Source | None,
        jobs_of: Callable[[str], Source],
        on_job: Callable[[Json], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._class_name = class_name
        self._jobs_of = jobs_of
        self._on_job = on_job
        self._on_gone = on_gone
        self._watched: Store[_Namespace] = Store(lambda _key, _namespace: None)
        self._arrivals: asyncio.Queue[str] = asyncio.Queue()
        self.informers: list[Informer[_Namespace]] = []
        if namespaces:
            informer = Informer(namespaces, self._watched, _Namespace.parse, self._changed)
            self.informers.append(informer)

    def is_ours(self, found: Json) -> bool:
        """Whether this operator runs a TranscriptionJob."""
        if self.informers and self._watched.get(f"/{found['metadata']['namespace']}") is None:
            return False
        return operator_class.is_ours(found, self._class_name)

    async def run(self) -> None:
        """List the TranscriptionJobs of each namespace that has come, for ever."""
        while True:
            namespace = await self._arrivals.get()
            try:
                async for objects, _ in self._jobs_of(namespace).pages():
                    for found in objects:
                        self._on_job(found)
            except (KubeError, OSError, TimeoutError) as error:
                # The next resync finds them.
                log.warning("TranscriptionJobs of %s could not be listed: %s", namespace, error)

    def _changed(self, before: _Namespace | None, now: _Namespace | None) -> None:
        (informer,) = self.informers
        if now and informer.synced.is_set():
            log.info("namespace %s is watched: its labels match", now.name)
            self._arrivals.put_nowait(now.name)
        elif before and not now:
            log.info("namespace %s is no longer watched", before.name)
            self._on_gone(before.name)
