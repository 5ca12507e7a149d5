"""What the Grafana dashboard shows: each panel, and what it asks Prometheus."""

from dataclasses import dataclass

_UNFINISHED = "Pending|Queued|Suspended|Running"
_QUEUE = '{name="transcriptionjobs"}'
"""Other controllers of the cluster have metrics of these names too."""


@dataclass(frozen=True)
class Panel:
    """``queries``: legend -> PromQL. ``unit``: one of Grafana's. ``width``: of 24 columns.
    ``kind``: stat (the latest number), lines, stack (areas) or bars."""

    title: str
    what: str
    queries: dict[str, str]
    unit: str = "short"
    width: int = 8
    kind: str = "lines"


def _quantiles(histogram: str, window: str, labels: str = "") -> dict[str, str]:
    return {
        f"p{percent}": f"histogram_quantile({percent / 100}, "
        f"sum by (le) (rate({histogram}_bucket{labels}[{window}])))"
        for percent in (50, 95)
    }


def _rate(counter: str, by: str = "") -> str:
    return f"sum{by} (rate({counter}[$__rate_interval]))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Jobs": (
        Panel(
            "Running",
            "Jobs whose workers transcribe.",
            {"": 'sum(transcription_jobs{phase="Running"})'},
            width=4,
            kind="stat",
        ),
        Panel(
            "Waiting",
            "Jobs in a queue, or whose pods start.",
            {"": 'sum(transcription_jobs{phase=~"Pending|Queued"})'},
            width=4,
            kind="stat",
        ),
        Panel(
            "Longest wait",
            "For how long the job has waited that waits for longest.",
            {"": "max(transcription_jobs_longest_wait_seconds)"},
            unit="s",
            width=4,
            kind="stat",
        ),
        Panel(
            "Failed in the last hour",
            "Of the jobs that ended.",
            {
                "": 'sum(increase(transcription_jobs_finished_total{phase="Failed"}[1h]))'
                " / sum(increase(transcription_jobs_finished_total[1h]))"
            },
            unit="percentunit",
            width=4,
            kind="stat",
        ),
        Panel(
            "Audio in the last day",
            "Of the jobs that ended.",
            {"": "sum(increase(transcription_audio_seconds_total[1d]))"},
            unit="s",
            width=4,
            kind="stat",
        ),
        Panel(
            "Operators that lead",
            "One, unless none is at work.",
            {"": "sum(transcription_operator_leader)"},
            width=4,
            kind="stat",
        ),
        Panel(
            "Jobs by phase",
            "Those that have not ended.",
            {"{{phase}}": f'sum by (phase) (transcription_jobs{{phase=~"{_UNFINISHED}"}})'},
            kind="stack",
        ),
        Panel(
            "Outcomes by reason",
            "Jobs that ended; docs/troubleshooting.md says what to do about each reason.",
            {
                "{{reason}}": "sum by (reason) "
                "(increase(transcription_jobs_finished_total[$__rate_interval])) > 0"
            },
            kind="bars",
        ),
        Panel(
            "Longest wait by phase",
            "Queued for over 5 minutes and Pending for over 15 raise an alert.",
            {"{{phase}}": "max by (phase) (transcription_jobs_longest_wait_seconds)"},
            unit="s",
        ),
        Panel(
            "Wait until a worker ran",
            "Of the jobs that ended in the 15 minutes before.",
            _quantiles("transcription_job_wait_seconds", "15m"),
            unit="s",
        ),
        Panel(
            "Run time",
            "From then until the end; likewise.",
            _quantiles("transcription_job_run_seconds", "15m"),
            unit="s",
        ),
        Panel(
            "Speed",
            "Seconds of audio per second of the run; likewise.",
            _quantiles("transcription_job_speed_ratio", "15m"),
            unit="suffix:x",
        ),
    ),
    "Workers": (
        Panel(
            "Audio transcribed",
            "Hours of it in the hour before, when jobs end.",
            {"all jobs": "sum(increase(transcription_audio_seconds_total[1h])) / 3600"},
            unit="h",
            width=6,
        ),
        Panel(
            "Progress",
            "Of a worker's whole job, as that worker knows it.",
            {
                "{{namespace}}/{{pod}}": "max by (namespace, pod) "
                "(transcription_worker_processed_seconds / transcription_worker_total_seconds)"
            },
            unit="percentunit",
            width=6,
        ),
        Panel(
            "Speed while running",
            "Seconds of audio per second, of a worker's whole job.",
            {
                "{{namespace}}/{{pod}}": "max by (namespace, pod) "
                "(deriv(transcription_worker_processed_seconds[$__rate_interval]))"
            },
            unit="suffix:x",
            width=6,
        ),
        Panel(
            "Batches",
            "Decoded, and found done by another worker or before a restart.",
            {
                "decoded": _rate("transcription_worker_units_decoded_total"),
                "found": _rate("transcription_worker_units_resumed_total"),
            },
            unit="ops",
            width=6,
        ),
    ),
    "Operator": (
        Panel(
            "Requests to the API server",
            "By the code of their answer.",
            {"{{code}}": _rate("transcription_operator_api_requests_total", " by (code)")},
            unit="reqps",
        ),
        Panel(
            "Time to reconcile",
            "Time that one job takes; unfinished: the job that takes longest at the moment.",
            {
                **_quantiles("workqueue_work_duration_seconds", "$__rate_interval", _QUEUE),
                "unfinished": f"max(workqueue_longest_running_processor_seconds{_QUEUE})",
            },
            unit="s",
        ),
        Panel(
            "Reconciliations",
            "By result; those with an error are retried.",
            {"{{result}}": _rate("transcription_operator_reconcile_total", " by (result)")},
            unit="ops",
        ),
        Panel(
            "Workqueue depth",
            "Jobs that wait to be reconciled.",
            {"jobs": f"sum(workqueue_depth{_QUEUE})"},
            width=6,
        ),
        Panel(
            "Watch age",
            "Since the API server was last heard of a resource.",
            {"{{resource}}": "max by (resource) (transcription_operator_watch_age_seconds)"},
            unit="s",
            width=6,
        ),
        Panel(
            "Longest standstill",
            "Since the running job got on that did so longest ago; 15 minutes raise an alert.",
            {"longest": "max(transcription_jobs_standstill_seconds)"},
            unit="s",
            width=6,
        ),
        Panel(
            "Memory",
            "Of each operator's process.",
            {
                "{{instance}}": "process_resident_memory_bytes"
                " and on (instance) transcription_operator_leader"
            },
            unit="bytes",
            width=6,
        ),
    ),
}
