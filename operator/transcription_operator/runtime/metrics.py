"""The operator's Prometheus metrics: of the jobs, and of its own health.

No label is a name or a text that users choose: there are as many series with ten thousand jobs as
with one.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from transcription_api.status import Phase
from transcription_contract.exit_codes import ENDINGS

OTHER = "Other"

KNOWN_REASONS = frozenset(ending.reason for ending in ENDINGS.values()) | {
    # the operator's and the Job controller's
    "Delivered", "DeadlineExceeded", "PendingDeadlineExceeded", "JobRefused", "JobMissing",
    "QuotaExceeded", "PodSecurityViolation", "AdmissionRefused", "PodRefused", "JobFailed",
    "WorkerFailed", "WorkersStarting", "FailedIndexes", "MaxFailedIndexesExceeded", "NameTaken",
    "BackoffLimitExceeded", "PodFailurePolicy",
    # the kubelet's and the scheduler's
    "OOMKilled", "Evicted", "NodeLost", "NodeShutdown", "Terminated", "Unschedulable",
    "SchedulingGated", "UnexpectedAdmissionError", "Preempting", "ErrImagePull",
    "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
    "ContainerCannotRun", "StartError",
    # the worker's
    "LimitExceeded", "NoAudioStream", "NotMedia", "SourceReplaced", "AllItemsFailed",
    "ModelSourceUnavailable",
    "Stalled", "DecoderKilled", "OutOfMemory", "VolumeFull", "PlanChanged", "BucketNotFound",
    "ModelNotFound", "ModelInvalid", "LanguageUnknown", "PromptTooLong", "OutputTaken",
    "SourceArchived", "SourceDenied", "SourceNameInvalid",
}  # fmt: skip
"""A pod's status can be written by others too, so an unknown word is no label."""

_MINUTE, _HOUR = 60, 3600
_WAITS = (1, 5, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR,
          4 * _HOUR, 24 * _HOUR)  # fmt: skip
_RUNS = (10, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR,
         4 * _HOUR, 8 * _HOUR, 24 * _HOUR)  # fmt: skip
_SPEEDS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_RECONCILES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts what it is told, and asks for the rest when it is scraped."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._define_of_jobs()
        self._define_of_operator()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def observe_finished(
        self,
        phase: str,
        reason: str,
        waited: float | None = None,
        ran: float | None = None,
        audio: float | None = None,
        warnings: int = 0,
        suspect_segments: int = 0,
    ) -> None:
        """Count a job that has ended.

        Args:
            phase: Succeeded or Failed.
            reason: its status.reason.
            waited: seconds from its creation until a worker ran.
            ran: seconds from then until its end.
            audio: seconds of audio that were transcribed.
            warnings: about its recordings.
            suspect_segments: segments flagged as suspect.
        """
        self._finished.labels(phase, reason if reason in KNOWN_REASONS else OTHER).inc()
        if waited is not None:
            self._waited.observe(max(0.0, waited))
        if ran is not None:
            self._ran.observe(max(0.0, ran))
        self._warnings.inc(warnings)
        self._suspect.inc(suspect_segments)
        if audio:
            self._audio.inc(audio)
        if audio and ran and ran > 0:
            self._speed.observe(audio / ran)

    def observe_reconcile(self, seconds: float, failed: bool) -> None:
        """A TranscriptionJob was reconciled, or could not be."""
        self._reconciles.observe(seconds)
        if failed:
            self._reconcile_errors.inc()

    def count_request(self, verb: str, resource: str, code: str) -> None:
        """The API server answered; code is the HTTP status, or ``error``."""
        self._requests.labels(verb, resource, code).inc()

    def set_leading(self, leads: bool) -> None:
        """Whether this operator is the one that works."""
        self._leader.set(leads)

    def follow_jobs(
        self, count: Callable[[], Mapping[str, int]], longest: Callable[[], Mapping[str, float]]
    ) -> None:
        """Ask for the number of TranscriptionJobs by phase, and for how many seconds the one that
        is in it for longest has been; call this once."""
        self._registry.register(_JobsByPhase(count, longest))

    def follow_progress(self, standstill: Callable[[], float]) -> None:
        """Ask for how many seconds the running TranscriptionJob that stands still for longest has
        done so."""
        self._standstill.set_function(standstill)

    def follow_queue(self, depth: Callable[[], int]) -> None:
        """Ask for the number of keys that wait to be visited."""
        self._depth.set_function(depth)

    def follow_watch(self, resource: str, age: Callable[[], float]) -> None:
        """Ask how many seconds ago the API server was heard of a resource, by the watch of it that
        was silent for longest."""
        self._watch_age.labels(resource).set_function(age)

    def _define_of_jobs(self) -> None:
        self._finished = Counter(
            "transcription_jobs_finished",
            "Number of finished TranscriptionJobs by phase and reason.",
            ["phase", "reason"],
            registry=self._registry,
        )
        # Prometheus' rate() does not see the step from no series to a series of 1.
        self._finished.labels(Phase.SUCCEEDED, "Delivered")
        for reason in KNOWN_REASONS - {"Delivered"} | {OTHER}:
            self._finished.labels(Phase.FAILED, reason)
        self._waited = Histogram(
            "transcription_job_wait_seconds",
            "Time from the creation of a TranscriptionJob until its first worker ran.",
            buckets=_WAITS,
            registry=self._registry,
        )
        self._ran = Histogram(
            "transcription_job_run_seconds",
            "Time from the first running worker of a TranscriptionJob until its end.",
            buckets=_RUNS,
            registry=self._registry,
        )
        self._speed = Histogram(
            "transcription_job_speed_ratio",
            "Seconds of audio per second of run time of finished TranscriptionJobs.",
            buckets=_SPEEDS,
            registry=self._registry,
        )
        self._audio = Counter(
            "transcription_audio_seconds",
            "Seconds of audio in finished TranscriptionJobs.",
            registry=self._registry,
        )
        self._warnings = Counter(
            "transcription_recording_warnings",
            "Number of warnings about recordings in finished TranscriptionJobs.",
            registry=self._registry,
        )
        self._suspect = Counter(
            "transcription_suspect_segments",
            "Number of suspect segments in finished TranscriptionJobs.",
            registry=self._registry,
        )
        self._standstill = Gauge(
            "transcription_jobs_standstill_seconds",
            "Longest time in seconds that a running TranscriptionJob has made no progress; 0 with "
            "none.",
            registry=self._registry,
        )

    def _define_of_operator(self) -> None:
        self._requests = Counter(
            "transcription_operator_api_requests",
            "Number of requests to the API server by verb, resource and status code.",
            ["verb", "resource", "code"],
            registry=self._registry,
        )
        self._reconciles = Histogram(
            "transcription_operator_reconcile_seconds",
            "Duration of reconciling one TranscriptionJob.",
            buckets=_RECONCILES,
            registry=self._registry,
        )
        self._reconcile_errors = Counter(
            "transcription_operator_reconcile_errors",
            "Number of failed reconciliations, which are retried.",
            registry=self._registry,
        )
        self._depth = Gauge(
            "transcription_operator_queue_depth",
            "Number of TranscriptionJobs in the workqueue.",
            registry=self._registry,
        )
        self._watch_age = Gauge(
            "transcription_operator_watch_age_seconds",
            "Seconds since the last answer of the API server about a resource.",
            ["resource"],
            registry=self._registry,
        )
        self._leader = Gauge(
            "transcription_operator_leader",
            "1 if this operator is the leader.",
            registry=self._registry,
        )


class _JobsByPhase(Collector):
    def __init__(
        self, count: Callable[[], Mapping[str, int]], longest: Callable[[], Mapping[str, float]]
    ) -> None:
        self._count = count
        self._longest = longest

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts, longest = self._count(), self._longest()
        family = GaugeMetricFamily(
            "transcription_jobs", "Number of TranscriptionJobs by phase.", labels=["phase"]
        )
        for phase in Phase:
            family.add_metric([phase.value], counts.get(phase.value, 0))
        yield family
        family = GaugeMetricFamily(
            "transcription_jobs_longest_wait_seconds",
            "Longest time in seconds that a TranscriptionJob has been in a phase; 0 with none.",
            labels=["phase"],
        )
        for phase in (Phase.PENDING, Phase.QUEUED):
            family.add_metric([phase.value], longest.get(phase.value, 0))
        yield family
