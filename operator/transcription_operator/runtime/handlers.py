"""Every kopf decorator: a table of contents of what the operator listens to."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from random import random
from typing import Any

import kopf

from transcription_api import GROUP, PLURAL, VERSION
from transcription_kube.keys import key_of
from transcription_kube.throttle import wait_after
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.workqueue import WorkQueue

_SILENCE_SECONDS = 90.0
"""A watch that is silent for longer is begun anew: a dead one cannot be told from it."""

_LISTED_AT_ONCE = 500
_IDLE_SECONDS = 0.1
"""kopf lists everything in one answer, and keeps a task for each object, with all of the object,
for 5 s after its last event: at the start with 10,000 TranscriptionJobs, half a gigabyte."""


class Backoffs:
    """Pauses without end: with kopf's own, 54 s of server errors end the operator."""

    def __iter__(self) -> Iterator[float]:
        return (wait_after(failures, random()) for failures in count(1))


def register(registry: kopf.OperatorRegistry, caches: Caches, queue: WorkQueue) -> None:
    """Have every event of a TranscriptionJob fill the cache and name its key to the queue.

    Jobs and pods have informers of our own: kopf would watch all of the cluster's, whole. The
    handler is a coroutine: kopf calls functions in threads, and neither cache nor queue bears that.
    """

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        # Scanning asks for namespaces and CRDs, which a namespaced role does not grant; without
        # the rights kopf was deaf for a minute.
        settings.scanning.disabled = True
        settings.posting.enabled = False
        settings.watching.inactivity_timeout = _SILENCE_SECONDS
        settings.watching.chunk_size = _LISTED_AT_ONCE
        settings.queueing.idle_timeout = _IDLE_SECONDS
        settings.networking.error_backoffs = Backoffs()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or _login_with_kubeconfig(**kwargs)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def transcription_job(event: kopf.RawEvent, **_: Any) -> None:
        found = dict(event["object"])
        keep = caches.owners.remove if event["type"] == "DELETED" else caches.owners.put
        if keep(found):
            queue.add(key_of(found))


def _login_with_kubeconfig(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """kopf alone cannot use credential plugins and token files; the kubernetes package can. After a
    401 kopf logs in again, so that a plugin renews its token."""
    found = kopf.login_with_kubeconfig(**kwargs)
    if found is None:
        return None
    if found.token or found.username or found.certificate_path or found.certificate_data:
        return found
    by_client = kopf.login_via_client(**kwargs)
    return by_client and replace(by_client, proxy_url=found.proxy_url)
