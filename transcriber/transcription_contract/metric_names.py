"""The names of the worker metrics that the operator reads (Prometheus text format)."""

METRICS_PORT = 9095

PROCESSED_SECONDS = "transcription_worker_processed_seconds"
"""Gauge: audio seconds of the whole job whose parts are known to be stored, by any worker."""

TOTAL_SECONDS = "transcription_worker_total_seconds"
"""Gauge: audio seconds of the whole job; 0 until known."""

UNITS_DECODED = "transcription_worker_units_decoded_total"
"""Counter: units that this worker decoded."""

UNITS_RESUMED = "transcription_worker_units_resumed_total"
"""Counter: units that this worker found already stored when it came to them."""
