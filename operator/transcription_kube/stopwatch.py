"""Time since something last happened, by the clock of the event loop."""

import asyncio


class Stopwatch:
    """Seconds since the last ``restart``; 0 before the first one, however long that takes: an
    operator that stands by for days has missed nothing."""

    def __init__(self) -> None:
        self._started: float | None = None

    def restart(self) -> None:
        """It has happened."""
        self._started = asyncio.get_running_loop().time()

    def seconds(self) -> float:
        """Seconds since it last happened."""
        if self._started is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._started
