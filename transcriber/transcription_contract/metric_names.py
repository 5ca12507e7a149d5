"""The names of the worker metrics that the operator reads (Prometheus text format)."""

METRICS_PORT = 9095

PROCESSED_SECONDS = "transcription_worker_processed_seconds"
"""Gauge: seconds of audio of the whole job that are transcribed, by any worker."""

TOTAL_SECONDS = "transcription_worker_total_seconds"
"""Gauge: seconds of audio of the whole job, estimated while recordings arrive; 0 until known."""

ITEMS = "transcription_worker_items"
"""Gauge: recordings of the whole job; 0 until listed."""

ITEMS_DONE = "transcription_worker_items_done"
"""Gauge: recordings of the whole job that are delivered or have failed."""

ITEMS_FAILED = "transcription_worker_items_failed"
"""Gauge: recordings of the whole job that have failed."""

UNITS_DECODED = "transcription_worker_units_decoded_total"
"""Counter: batches that this worker decoded."""

UNITS_RESUMED = "transcription_worker_units_resumed_total"
"""Counter: batches that were already stored when this worker reached them."""

WARNINGS = "transcription_worker_warnings_total"
"""Counter with the label kind: warnings about recordings that this worker delivered."""

SUSPECT_SEGMENTS = "transcription_worker_suspect_segments_total"
"""Counter: segments that this worker decoded and flagged as suspect."""

DROPPED_SECONDS = "transcription_worker_dropped_seconds_total"
"""Counter: seconds of text that this worker left out: nobody speaks there, or it is suspect and the
job drops that."""
