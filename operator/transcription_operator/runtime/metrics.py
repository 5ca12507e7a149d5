"""The operator's Prometheus metrics: of the jobs, of its workqueue, and of its own health.

No label is a name or a text that users choose: there are as many series with ten thousand jobs as
with one.
"""

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from transcription_api import PLURAL
from transcription_operator.runtime.job_metrics import JobMetrics
from transcription_operator.runtime.operator_metrics import OperatorMetrics
from transcription_operator.runtime.queue_metrics import QueueMetrics


class Metrics:
    """All metrics of one operator; ``lease``: the name of its lease."""

    def __init__(self, lease: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.jobs = JobMetrics(self._registry)
        self.operator = OperatorMetrics(self._registry, lease)
        self.queue = QueueMetrics(self._registry, PLURAL)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
