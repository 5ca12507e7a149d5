"""Metrics of a workqueue, under client-go's names: dashboards for controllers show them.

https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/component-base/metrics/prometheus/workqueue/metrics.go
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = tuple(10.0**exponent for exponent in range(-6, 4))


class QueueMetrics:
    """Observes one workqueue.

    Args:
        name: the label ``name`` of every metric.
        clock: monotonic seconds.
    """

    def __init__(
        self, registry: CollectorRegistry, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._added: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._adds = Counter(
            "workqueue_adds",
            "Number of keys added to the workqueue.",
            ["name"],
            registry=registry,
        ).labels(name)
        self._retries = Counter(
            "workqueue_retries",
            "Number of keys that failed and are retried.",
            ["name"],
            registry=registry,
        ).labels(name)
        self._waits = Histogram(
            "workqueue_queue_duration_seconds",
            "Time that a key waits in the workqueue.",
            ["name"],
            buckets=_SECONDS,
            registry=registry,
        ).labels(name)
        self._works = Histogram(
            "workqueue_work_duration_seconds",
            "Time that processing a key takes.",
            ["name"],
            buckets=_SECONDS,
            registry=registry,
        ).labels(name)
        for metric, documentation, value in (
            ("workqueue_depth", "Number of keys in the workqueue.", lambda: len(self._added)),
            (
                "workqueue_unfinished_work_seconds",
                "Sum of the seconds for which keys have been processed, until they are finished.",
                lambda: sum(self._ages()),
            ),
            (
                "workqueue_longest_running_processor_seconds",
                "Longest time in seconds for which a key has been processed.",
                lambda: max(self._ages(), default=0.0),
            ),
        ):
            gauge = Gauge(metric, documentation, ["name"], registry=registry)
            gauge.labels(name).set_function(value)

    def on_add(self, key: str) -> None:
        """A key was added that was not in the queue."""
        self._adds.inc()
        self._added.setdefault(key, self._clock())

    def on_get(self, key: str) -> None:
        """A worker begins to process a key."""
        now = self._clock()
        self._begun[key] = now
        self._waits.observe(now - self._added.pop(key, now))

    def on_done(self, key: str) -> None:
        """A worker has processed a key."""
        now = self._clock()
        self._works.observe(now - self._begun.pop(key, now))

    def on_retry(self, _key: str) -> None:
        """A key failed, and is retried after its backoff."""
        self._retries.inc()

    def _ages(self) -> list[float]:
        now = self._clock()
        return [now - begun for begun in self._begun.values()]
