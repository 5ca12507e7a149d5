"""Status, written as the smallest patch, and the Event that a change deserves."""

import logging
from collections.abc import Callable
from datetime import datetime

from transcription_api.status import Status
from transcription_api.transcriptionjob import Resource
from transcription_kube.errors import ConflictError, NotFoundError
from transcription_operator.policies import events, rewording
from transcription_operator.policies.patch import merge_patch
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.event_recorder import EventRecorder

OnWritten = Callable[[Resource, Status], None]
"""Called with the job before a status was written, and the status."""

log = logging.getLogger(__name__)


class StatusWriter:
    """Writes each status once, guarded by the resourceVersion of what it was made from."""

    def __init__(
        self,
        cluster: Cluster,
        caches: Caches,
        recorder: EventRecorder,
        on_written: OnWritten,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._caches = caches
        self._recorder = recorder
        self._on_written = on_written
        self._clock = clock
        self._written: dict[str, datetime] = {}

    async def write(self, owner: Resource, after: Status) -> float | None:
        """Write what differs from the past status; what this version cannot read of it stays.

        Returns:
            Seconds until a change that can wait is due; None if nothing waits.

        Raises:
            ConflictError: the job has changed since it was observed, or is gone.
        """
        past = owner.status
        if after is past:
            return None
        patch = merge_patch(past.to_wire(), after.to_wire())
        if not patch:
            return None
        now = self._clock()
        if wait := rewording.wait(past, after, self._written.get(owner.key), now):
            return wait
        await self._patch(owner, patch)
        self._written[owner.key] = now
        if (past.phase, past.reason) != (after.phase, after.reason):
            log.info("%s (%s): %s", after.phase, after.reason, after.message)
        self._on_written(owner, after)
        if draft := events.of_change(past, after):
            await self._recorder.record(owner, draft)

        return None

    def forget(self, key: str) -> None:
        """Forget when the status of a job was written that is gone."""
        self._written.pop(key, None)

    async def _patch(self, owner: Resource, patch: dict[str, object]) -> None:
        metadata = owner.metadata
        body = {"metadata": {"resourceVersion": metadata.resource_version}, "status": patch}
        try:
            written = await self._cluster.patch_status(metadata.namespace, metadata.name, body)
        except NotFoundError as error:
            # Deleted, and no watch has reported it: without this its Job would be created, and
            # collected, again and again.
            self._caches.drop(owner)
            raise ConflictError(error.status, f"{owner.key} is gone") from error
        except ConflictError:
            await self._refresh(owner)
            raise
        self._caches.put_owner(written)

    async def _refresh(self, owner: Resource) -> None:
        """Read the job into the cache: the watch may be late, or dead for another minute."""
        metadata = owner.metadata
        found = await self._cluster.get_transcription_job(metadata.namespace, metadata.name)
        if found is None:
            self._caches.drop(owner)
        else:
            self._caches.put_owner(found)
