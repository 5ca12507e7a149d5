"""Stopping in good order: a request to stop, and the points at which it is obeyed."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from whisper_transcriber.errors import Interrupted

STOPPED = "The worker was asked to stop; what it has stored is kept"

_POLL_SECONDS = 0.1
"""How late a waiting thread notices a request."""

_Answer = TypeVar("_Answer")


class Interruption:
    """A flag that a signal handler sets; long-running code checks it where stopping loses nothing.

    It is a bare attribute on purpose: a signal handler runs between two instructions of the main
    thread, and a lock that the main thread holds there would never be released.
    """

    def __init__(self, parent: "Interruption | None" = None) -> None:
        self._requested = False
        self._parent = parent

    @classmethod
    def by_signals(cls) -> "Interruption":
        """One that SIGTERM and SIGINT request from now on."""
        made = cls()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: made.request())
        return made

    def request(self) -> None:
        """Ask the worker to stop at the next safe point. Safe in a signal handler."""
        self._requested = True

    def child(self) -> "Interruption":
        """One for a part of the work, which can be stopped alone, and stops with the whole."""
        return Interruption(self)

    @property
    def requested(self) -> bool:
        """Whether a stop was requested."""
        return self._requested or (self._parent is not None and self._parent.requested)

    def check(self) -> None:
        """A safe point.

        Raises:
            Interrupted: a stop was requested.
        """
        if self.requested:
            raise Interrupted(STOPPED)

    def wait(self, seconds: float) -> None:
        """Sleep; a request ends the sleep within a tenth of a second and raises like ``check``."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))
            self.check()

    def during(self, call: Callable[[], _Answer]) -> _Answer:
        """What ``call`` returns, without waiting for it once a stop is requested.

        ``call`` runs in a thread of its own, which is abandoned then: a socket's read or a name's
        resolution cannot be cancelled, and may last a minute.

        Raises:
            Interrupted: a stop was requested before ``call`` returned.
        """
        self.check()
        running = _Running(call)
        threading.Thread(target=running.run, name="interruptible", daemon=True).start()
        while not running.ended.wait(_POLL_SECONDS):
            self.check()
        if running.error is not None:
            raise running.error
        return running.answers[0]


class _Running(Generic[_Answer]):
    def __init__(self, call: Callable[[], _Answer]) -> None:
        self._call = call
        self.ended = threading.Event()
        self.answers: list[_Answer] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answers.append(self._call())
        except BaseException as error:
            self.error = error
        finally:
            self.ended.set()
