"""How far the whole job is, as one worker knows it, for its metrics."""

from collections.abc import Sequence

from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination.layout import Items, Shard, ShardPlan
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.metrics import Metrics


class ProgressReporter:
    """Sets the metrics of a job's progress.

    An update costs what has changed since the last one, and a look at the groups in work; not the
    whole job.
    """

    def __init__(
        self, metrics: Metrics, items: Items, state: WorkspaceState, planner: Planner
    ) -> None:
        self._metrics = metrics
        self._items = items
        self._state = state
        self._planner = planner
        self._bytes = [
            sum(items.items[item].bytes for item in group.items) for group in items.groups
        ]
        self._all_bytes = sum(self._bytes)
        self._parts: dict[int, dict[str, int]] = {}
        self._stored: dict[int, int] = {}
        self._looks = -1
        self._marks = 0
        self._delivered_samples = self._delivered_bytes = 0
        self._done = self._failed = 0
        metrics.items.set(len(items.items))

    def planned(self, shard: Shard, plan: ShardPlan, parts: Sequence[str]) -> None:
        """Take note of a plan, and of the names of its parts."""
        if shard.group in self._state.delivered:
            return
        known = self._parts.setdefault(shard.group, {})
        if parts and parts[0] not in known:
            known |= {name: batch.samples for name, batch in zip(parts, plan.batches, strict=True)}
            self._count(shard.group)

    def stored(self, group: int, samples: int) -> None:
        """Take note of a part that this worker has stored, of so many samples."""
        self._stored[group] = self._stored.get(group, 0) + samples
        self.update()

    def update(self) -> None:
        """Set the metrics by what is known now."""
        self._count_delivered()
        if self._looks != self._state.looks:
            self._looks = self._state.looks
            for group in self._parts:
                self._count(group)
        processed = self._delivered_samples + sum(self._stored.values())
        self._metrics.processed_seconds.set(processed / SAMPLE_RATE)
        self._metrics.total_seconds.set(max(processed, self._total()) / SAMPLE_RATE)
        self._metrics.items_done.set(self._done)
        self._metrics.items_failed.set(self._failed)

    def _count(self, group: int) -> None:
        names = self._state.names
        parts = self._parts[group].items()
        self._stored[group] = sum(samples for name, samples in parts if name in names)

    def _count_delivered(self) -> None:
        for mark in self._state.marks[self._marks :]:
            self._delivered_samples += mark.samples
            self._delivered_bytes += self._bytes[mark.group]
            self._done += self._items.groups[mark.group].count
            self._failed += mark.failed
            self._parts.pop(mark.group, None)
            self._stored.pop(mark.group, None)
        self._marks = len(self._state.marks)

    def _total(self) -> float:
        """Samples of the whole job; what is not known is estimated by its bytes."""
        samples, size = self._delivered_samples, self._delivered_bytes
        for group in self._planner.begun():
            expected = self._planner.expected_samples(group)
            if expected is not None and group not in self._state.delivered:
                samples += expected
                size += self._bytes[group]
        return samples * self._all_bytes / size if size else 0.0
