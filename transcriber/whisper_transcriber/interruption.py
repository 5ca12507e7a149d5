"""Stopping in good order: a request, and the points at which it is obeyed."""

import signal
import threading

from whisper_transcriber.errors import Interrupted


class Interruption:
    """Set by a signal handler, looked at wherever stopping loses nothing."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._children: list[Interruption] = []

    @classmethod
    def by_signals(cls) -> "Interruption":
        """One that SIGTERM and SIGINT request from now on."""
        made = cls()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: made.request())
        return made

    def request(self) -> None:
        """Ask the worker to stop at the next safe point."""
        self._requested.set()
        for child in self._children:
            child.request()

    def child(self) -> "Interruption":
        """One for a part of the work, which can be stopped alone, and is with the whole."""
        child = Interruption()
        self._children.append(child)
        if self.requested:
            child.request()
        return child

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._requested.is_set()

    def check(self) -> None:
        """A safe point.

        Raises:
            Interrupted: somebody asked.
        """
        if self.requested:
            raise Interrupted("the worker was asked to stop; another pod goes on from its parts")

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a request: returns early, and then raises like ``check``."""
        self._requested.wait(seconds)
        self.check()
