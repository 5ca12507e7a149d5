"""How far the whole job is, as one worker knows it, for its metrics."""

from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination.delivery import Delivery
from whisper_transcriber.coordination.layout import Items
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.metrics import Metrics


class ProgressReporter:
    """Sets the metrics of a job's progress."""

    def __init__(
        self, metrics: Metrics, items: Items, planner: Planner, delivery: Delivery
    ) -> None:
        self._metrics = metrics
        self._planner = planner
        self._delivery = delivery
        self._bytes = [
            sum(items.items[item].bytes for item in group.items) for group in items.groups
        ]
        metrics.items.set(len(items.items))

    def update(self, names: frozenset[str]) -> None:
        """Set them by the names of all that the workspace holds."""
        plans = self._planner.planned()
        processed = sum(
            batch.samples
            for shard, plan in plans.items()
            for name, batch in zip(
                self._delivery.part_names(shard, plan), plan.batches, strict=True
            )
            if name in names
        )
        self._metrics.processed_seconds.set(processed / SAMPLE_RATE)
        self._metrics.total_seconds.set(max(processed, self._total()) / SAMPLE_RATE)
        delivered = self._delivery.delivered(names)
        self._metrics.items_done.set(len(delivered))
        self._metrics.items_failed.set(sum(1 for each in delivered if each.failure))

    def _total(self) -> float:
        """Samples of the whole job; what is not known is judged by its bytes."""
        expected = map(self._planner.expected_samples, range(len(self._bytes)))
        known = [
            (samples, size)
            for samples, size in zip(expected, self._bytes, strict=True)
            if samples is not None
        ]
        known_bytes = sum(size for _, size in known)
        if not known_bytes:
            return 0.0
        return sum(samples for samples, _ in known) * sum(self._bytes) / known_bytes
