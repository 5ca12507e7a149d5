"""How long a worker waits for what another one has claimed."""

import statistics
import time
from collections.abc import Callable

CLAIM_BATCHES = 2.0
CLAIM_SECONDS = 2.0
"""A claim is believed for this many seconds, or this many times as long as a batch usually takes,
after this worker had nothing else to do."""


class Patience:
    """Ages of claims, by this worker's clock: since it first waited for them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._took: list[float] = []
        self._since: dict[tuple[str, int], float] = {}

    def batch_took(self, seconds: float) -> None:
        """Take note of how long a batch of this worker took."""
        self._took.append(seconds)

    def is_over(self, what: str, attempt: int, at_least: float = 0.0) -> bool:
        """Whether the worker that has claimed something seems to have died.

        Args:
            what: is claimed.
            attempt: counts the claims to it: the next worker's claim is believed as long again.
            at_least: seconds that it may take, whatever a batch takes.
        """
        now = self._clock()
        since = self._since.setdefault((what, attempt), now)
        usual = statistics.median(self._took) if self._took else CLAIM_SECONDS
        return now - since >= max(at_least, CLAIM_SECONDS, CLAIM_BATCHES * usual)
