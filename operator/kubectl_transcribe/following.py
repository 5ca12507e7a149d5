"""Watching a TranscriptionJob to its end, told on stderr."""

import math
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm  # type: ignore[import-untyped]

from kubectl_transcribe import progress
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import JobFailedError, TimedOutError, UnreachableError
from kubectl_transcribe.terminal import say
from transcription_api.progress import Progress
from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob

_INTERVAL = 1.0
_PATIENCE = 120.0
"""Seconds without an answer of the API server, such as while it is upgraded."""


def follow(cluster: Cluster, name: str, timeout: float | None) -> TranscriptionJob:
    """Tell how far it is until it is over; the job, which succeeded.

    Args:
        timeout: seconds; None for ever.

    Raises:
        JobFailedError: it failed.
        TimedOutError: it was not over in time.
        NotFoundError: it was deleted.
    """
    again = f"`kubectl transcribe follow {name} -n {cluster.namespace}` follows it again"
    try:
        job = _end_of(cluster, name, timeout)
    except KeyboardInterrupt:
        say(f"TranscriptionJob {name} goes on: {again}")
        raise
    if job is None:
        raise TimedOutError(f"TranscriptionJob {name} is not over after {timeout:g} s: {again}")
    if job.status.phase is Phase.FAILED:
        raise JobFailedError(
            f"TranscriptionJob {name} failed ({job.status.reason}): {job.status.message}; "
            f"`kubectl transcribe logs {name} -n {cluster.namespace}` has the workers' side"
        )
    say(progress.sentence(job))
    for each in progress.shortfall(job):
        say(each)
    return job


def _end_of(cluster: Cluster, name: str, timeout: float | None) -> TranscriptionJob | None:
    deadline = time.monotonic() + timeout if timeout is not None else math.inf
    answered = None
    with _Ticker() as ticker:
        while True:
            try:
                job = cluster.job(name)
                answered = time.monotonic()
                if progress.is_over(job):
                    return job
                ticker.show(job)
            except UnreachableError:
                # A mistake is told at once; an API server that was there may come back.
                if answered is None or time.monotonic() - answered > _PATIENCE:
                    raise
            if time.monotonic() >= deadline:
                return None
            time.sleep(min(_INTERVAL, max(0.0, deadline - time.monotonic())))


class _Ticker:
    """One line that changes, on a terminal; elsewhere a new line for each step of progress."""

    def __init__(self) -> None:
        self._bar = tqdm(bar_format="{desc}", dynamic_ncols=True, leave=False, disable=None)
        self._last: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, job: TranscriptionJob) -> None:
        """Show how far it is."""
        sentence = progress.sentence(job)
        if sys.stderr.isatty():
            self._bar.set_description_str(sentence)
            return
        step = (job.status.phase, job.status.message, (job.status.progress or Progress()).percent)
        if step != self._last:
            self._last = step
            say(sentence)
