"""A worker that hangs must not hang for ever."""

import statistics
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

MINIMUM_SECONDS = 600.0
MEDIANS = 20.0
"""A unit may take ten minutes, or twenty times as long as units of this job usually do."""

FIRST_SECONDS = 1800.0
"""The first one, of which nobody knows what it takes: a large model on a processor is slow."""

_POLL_SECONDS = 5.0


class Watchdog:
    """Calls ``bark`` once, from a thread of its own, when units stop being finished.

    It watches while it is entered as a context. ``clock``: seconds, monotonic.
    """

    def __init__(
        self,
        bark: Callable[[float], None],
        *,
        minimum_seconds: float = MINIMUM_SECONDS,
        first_seconds: float = FIRST_SECONDS,
        poll_seconds: float = _POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bark = bark
        self._minimum = minimum_seconds
        self._first = first_seconds
        self._poll = poll_seconds
        self._clock = clock
        self._durations: list[float] = []
        self._began = self._since = clock()
        self._left = threading.Event()

    def __enter__(self) -> Self:
        self._began = self._since = self._clock()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()

    def batch_begun(self) -> None:
        """Tell it that a unit is being decoded."""
        self._began = self._since = self._clock()

    def batch_finished(self) -> None:
        """Tell it that the unit is done."""
        self._since = self._clock()
        self._durations.append(self._since - self._began)

    def sign_of_life(self) -> None:
        """Tell it that something else goes on: a download, a plan, a window of a long unit."""
        self._since = self._clock()

    @property
    def allowed_seconds(self) -> float:
        """How long the next unit may take."""
        # The copy: the list grows in another thread.
        durations = list(self._durations)
        usual = MEDIANS * statistics.median(durations) if durations else self._first
        return max(self._minimum, usual)

    @property
    def is_overdue(self) -> bool:
        """Whether the next unit should have been finished by now."""
        return self._clock() - self._since > self.allowed_seconds

    def _watch(self) -> None:
        while not self._left.wait(self._poll):
            if self.is_overdue:
                self._bark(self._clock() - self._since)
                return
