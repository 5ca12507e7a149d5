"""Events, posted or counted in a series."""

from collections.abc import Callable
from datetime import datetime

from transcription_api.transcriptionjob import Resource
from transcription_operator.policies import events
from transcription_operator.policies.event_series import EventSeries
from transcription_operator.runtime.cluster import Cluster


class EventRecorder:
    """Posts Events about TranscriptionJobs; ``instance``: the operator's identity."""

    def __init__(self, cluster: Cluster, instance: str, clock: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._instance = instance
        self._clock = clock
        self._series = EventSeries()

    async def record(self, owner: Resource, draft: events.EventDraft) -> None:
        """Post an Event, or count it in its series; one over the owner's budget is dropped."""
        now, namespace = self._clock(), owner.metadata.namespace
        series = self._series.note(owner.metadata.uid, draft, now)
        if series is None:
            return
        event = events.manifest(owner, draft, series.began, self._instance)
        if series.count > 1:
            patch = events.series_patch(series.count, series.last)
            if await self._cluster.patch_event(namespace, event["metadata"]["name"], patch):
                return
            # Events expire, and anybody may delete them.
            event |= patch
        await self._cluster.create_event(namespace, event)
