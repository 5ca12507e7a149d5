"""A worker's Prometheus metrics: the only module that knows the client library.

The operator reads the same metrics for status.progress. Losing them never fails a job.
"""

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from transcription_contract import metric_names

log = logging.getLogger(__name__)


class Metrics:
    """The metrics of one worker, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.processed_seconds = Gauge(
            metric_names.PROCESSED_SECONDS,
            "Seconds of audio of the whole job that are transcribed, by any worker.",
            registry=self.registry,
        )
        self.total_seconds = Gauge(
            metric_names.TOTAL_SECONDS,
            "Seconds of audio of the whole job, estimated while recordings arrive; 0 until known.",
            registry=self.registry,
        )
        self.items = Gauge(
            metric_names.ITEMS,
            "Number of recordings of the whole job; 0 until listed.",
            registry=self.registry,
        )
        self.items_done = Gauge(
            metric_names.ITEMS_DONE,
            "Number of recordings of the whole job that are delivered or have failed.",
            registry=self.registry,
        )
        self.items_failed = Gauge(
            metric_names.ITEMS_FAILED,
            "Number of recordings of the whole job that have failed.",
            registry=self.registry,
        )
        self.units_decoded = Counter(
            metric_names.UNITS_DECODED,
            "Number of batches that this worker decoded.",
            registry=self.registry,
        )
        self.units_resumed = Counter(
            metric_names.UNITS_RESUMED,
            "Number of batches that were already stored when this worker reached them.",
            registry=self.registry,
        )
        self.warnings = Counter(
            metric_names.WARNINGS,
            "Number of warnings about recordings that this worker delivered, by kind.",
            ["kind"],
            registry=self.registry,
        )
        self.suspect_segments = Counter(
            metric_names.SUSPECT_SEGMENTS,
            "Number of segments decoded by this worker whose text may be wrong.",
            registry=self.registry,
        )
        self.dropped_seconds = Counter(
            metric_names.DROPPED_SECONDS,
            "Seconds of text that this worker left out as invented or suspect.",
            registry=self.registry,
        )

    def serve(self, port: int) -> None:
        """Serve the metrics on ``port`` in another thread; log a warning if the port is in use."""
        try:
            start_http_server(port, registry=self.registry)
        except OSError as error:
            log.warning("metrics cannot be served on port %d: %s", port, error)
