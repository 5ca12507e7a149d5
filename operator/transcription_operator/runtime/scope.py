"""Which TranscriptionJobs this operator runs: those of its class, in namespaces whose labels match
the selector of the settings.

The API server evaluates the selector: its watch reports a namespace whose labels no longer match as
deleted.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from transcription_kube.errors import KubeError, words
from transcription_kube.informer import Informer, Source
from transcription_kube.store import Store
from transcription_kube.throttle import wait_after
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
        enter: lists the TranscriptionJobs of a namespace that has come.
        on_gone: called with a namespace that is no longer watched.
    """

    def __init__(
        self,
        class_name: str,
        namespaces: Source | None,
        enter: Callable[[str], Awaitable[None]],
        on_gone: Callable[[str], None],
    ) -> None:
        self._class_name = class_name
        self._enter = enter
        self._on_gone = on_gone
        self._watched: Store[_Namespace] = Store(lambda _key, _namespace: None)
        self._arrivals: asyncio.Queue[str] = asyncio.Queue()
        self.informers: list[Informer[_Namespace]] = []
        if namespaces:
            informer = Informer(namespaces, self._watched, _Namespace.parse, self._changed)
            self.informers.append(informer)

    def is_ours(self, found: Json) -> bool:
        """Whether this operator runs a TranscriptionJob."""
        if self.informers and not self._is_watched(found["metadata"]["namespace"]):
            return False
        return operator_class.is_ours(found, self._class_name)

    async def run(self) -> None:
        """List the TranscriptionJobs of each namespace that has come, for ever: their events were
        passed over before."""
        failures = 0
        while True:
            namespace = await self._arrivals.get()
            try:
                if self._is_watched(namespace):
                    await self._enter(namespace)
                failures = 0
            except (KubeError, OSError) as error:
                failures += 1
                wait = wait_after(failures, random.random(), error)
                log.warning(
                    "TranscriptionJobs of %s could not be listed, trying again in %.1f s: %s",
                    namespace, wait, words(error),
                )  # fmt: skip
                self._arrivals.put_nowait(namespace)
                await asyncio.sleep(wait)

    def _is_watched(self, namespace: str) -> bool:
        return self._watched.get(f"/{namespace}") is not None

    def _changed(self, _: str, before: _Namespace | None, now: _Namespace | None) -> None:
        (informer,) = self.informers
        if now and informer.synced.is_set():
            log.info("namespace %s is watched: its labels match", now.name)
            self._arrivals.put_nowait(now.name)
        elif before and not now:
            log.info("namespace %s is no longer watched", before.name)
            self._on_gone(before.name)
