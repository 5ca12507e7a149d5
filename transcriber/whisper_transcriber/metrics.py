"""What a worker tells Prometheus: the only module that knows its client.

The operator reads the same metrics for status.progress. Losing them never fails a job.
"""

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from transcription_contract import metric_names

log = logging.getLogger(__name__)


class Metrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.processed_seconds = Gauge(
            metric_names.PROCESSED_SECONDS,
            "Audio seconds of the whole job whose parts are known to be stored, by any worker.",
            registry=self.registry,
        )
        self.total_seconds = Gauge(
            metric_names.TOTAL_SECONDS,
            "Audio seconds of the whole job, estimated while recordings arrive; 0 until known.",
            registry=self.registry,
        )
        self.items = Gauge(
            metric_names.ITEMS,
            "AudioCache of the whole job; 0 until listed.",
            registry=self.registry,
        )
        self.items_done = Gauge(
            metric_names.ITEMS_DONE,
            "AudioCache of the whole job that are delivered or have failed, as far as known.",
            registry=self.registry,
        )
        self.items_failed = Gauge(
            metric_names.ITEMS_FAILED,
            "AudioCache of the whole job that have failed, as far as known.",
            registry=self.registry,
        )
        self.units_decoded = Counter(
            metric_names.UNITS_DECODED,
            "Units that this worker decoded.",
            registry=self.registry,
        )
        self.units_resumed = Counter(
            metric_names.UNITS_RESUMED,
            "Units that this worker found already stored when it came to them.",
            registry=self.registry,
        )
        self.suspect_segments = Counter(
            metric_names.SUSPECT_SEGMENTS,
            "Segments decoded by this worker whose text may be wrong.",
            registry=self.registry,
        )
        self.dropped_seconds = Counter(
            metric_names.DROPPED_SECONDS,
            "Seconds of text that this worker left out as invented or suspect.",
            registry=self.registry,
        )

    def serve(self, port: int) -> None:
        """Answer on ``port`` from a thread of its own; a port in use is only worth a warning."""
        try:
            start_http_server(port, registry=self.registry)
        except OSError as error:
            log.warning("metrics cannot be served on port %d: %s", port, error)
