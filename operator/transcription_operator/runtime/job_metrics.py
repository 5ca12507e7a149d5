"""Metrics of the TranscriptionJobs."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from transcription_api.status import Phase
from transcription_contract.reasons import OTHER, fault_of, of_phase

FINISHED = {
    phase: frozenset(reason.word for reason in of_phase(phase))
    for phase in (Phase.SUCCEEDED, Phase.FAILED)
}
"""The reasons that are labels; others can write a pod's status, so unknown words are not."""

_MINUTE, _HOUR = 60, 3600
_WAITS = (1, 5, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR,
          4 * _HOUR, 24 * _HOUR)  # fmt: skip
_RUNS = (10, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR,
         4 * _HOUR, 8 * _HOUR, 24 * _HOUR)  # fmt: skip
_SPEEDS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class JobMetrics:
    """Counts finished jobs, and queries the number of the others when it is scraped."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._finished = Counter(
            "transcription_jobs_finished",
            "Number of finished TranscriptionJobs by phase, reason and whose fault the reason is.",
            ["phase", "reason", "fault"],
            registry=registry,
        )
        # Prometheus' rate() does not see the step from no series to a series of 1.
        for phase, words in FINISHED.items():
            for word in words:
                self._finished.labels(phase, word, fault_of(word))
        self._finished.labels(Phase.FAILED, OTHER, fault_of(OTHER))
        self._waited = Histogram(
            "transcription_job_wait_seconds",
            "Time from the creation of a TranscriptionJob until its first worker ran.",
            buckets=_WAITS,
            registry=registry,
        )
        self._ran = Histogram(
            "transcription_job_run_seconds",
            "Time from the first running worker of a TranscriptionJob until its end.",
            buckets=_RUNS,
            registry=registry,
        )
        self._speed = Histogram(
            "transcription_job_speed_ratio",
            "Seconds of audio per second of run time of finished TranscriptionJobs.",
            buckets=_SPEEDS,
            registry=registry,
        )
        self._audio = Counter(
            "transcription_audio_seconds",
            "Seconds of audio in finished TranscriptionJobs.",
            registry=registry,
        )
        self._warnings = Counter(
            "transcription_recording_warnings",
            "Number of warnings about recordings in finished TranscriptionJobs.",
            registry=registry,
        )
        self._suspect = Counter(
            "transcription_suspect_segments",
            "Number of suspect segments in finished TranscriptionJobs.",
            registry=registry,
        )
        self._standstill = Gauge(
            "transcription_jobs_standstill_seconds",
            "Longest time in seconds that a running TranscriptionJob has made no progress; 0 with "
            "none.",
            registry=registry,
        )

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
        word = reason if reason in FINISHED[Phase(phase)] else OTHER
        self._finished.labels(phase, word, fault_of(word)).inc()
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

    def follow_jobs(
        self, count: Callable[[], Mapping[str, int]], longest: Callable[[], Mapping[str, float]]
    ) -> None:
        """Query the number of TranscriptionJobs by phase, and the longest time in seconds that one
        has been in it; call this once."""
        self._registry.register(_JobsByPhase(count, longest))

    def follow_progress(self, standstill: Callable[[], float]) -> None:
        """Query the longest time in seconds that a running TranscriptionJob has made no
        progress."""
        self._standstill.set_function(standstill)


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
