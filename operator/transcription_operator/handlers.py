"""Every kopf decorator: a table of contents of what the operator listens to."""

from typing import Any

import kopf

from transcription_operator import names
from transcription_operator.api import GROUP, PLURAL, VERSION
from transcription_operator.queue import KeyedQueue

_OURS = {names.OWNER_UID_LABEL: kopf.PRESENT}


def register(registry: kopf.OperatorRegistry, queue: KeyedQueue) -> None:
    """Have every event name its TranscriptionJob to the queue."""

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        # Scanning asks for namespaces and CRDs, which a namespaced role does not grant; without
        # the rights kopf was deaf for a minute.
        settings.scanning.disabled = True
        settings.posting.enabled = False

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    def transcription_job(namespace: str | None, name: str | None, **_: Any) -> None:
        queue.add(f"{namespace}/{name}")

    @kopf.on.event("batch", "v1", "jobs", labels=_OURS, registry=registry)
    def job(namespace: str | None, annotations: kopf.Annotations, **_: Any) -> None:
        _add_owner(namespace, annotations)

    @kopf.on.event("", "v1", "pods", labels=_OURS, registry=registry)
    def pod(namespace: str | None, annotations: kopf.Annotations, **_: Any) -> None:
        _add_owner(namespace, annotations)

    def _add_owner(namespace: str | None, annotations: kopf.Annotations) -> None:
        if owner := annotations.get(names.OWNER_NAME_ANNOTATION):
            queue.add(f"{namespace}/{owner}")
