"""What a thread of its own produces, and others use while it grows."""

import threading
from collections.abc import Callable

_POLL_SECONDS = 0.02
"""How late a reader may notice what is new; ffmpeg decodes seconds of audio in that time."""


def _nothing() -> None:
    pass


class BackgroundProducer:
    """Runs ``produce`` in a thread, and waits for what comes of it.

    Args:
        produce: returns when all is there; what it raises, every waiter gets.
        size: how much is there now.
        name: the thread's.
    """

    def __init__(self, produce: Callable[[], None], size: Callable[[], int], name: str) -> None:
        self._produce = produce
        self._size = size
        self._ended = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether all is there, or nothing more will come."""
        return self._ended.is_set()

    def wait(
        self,
        size: int,
        check: Callable[[], None] = _nothing,
        measure: Callable[[], int] | None = None,
    ) -> int:
        """Block until there is ``size``, or all that there will ever be; returns what is there.

        Args:
            size: fewer are returned only when nothing more comes.
            check: called every few hundredths of a second; what it raises ends the waiting.
            measure: how much is there, of something else that is produced meanwhile.

        Raises:
            BaseException: what ``produce`` raised, also for what came before it did.
        """
        while True:
            # Asked before the size is: the size of what has ended is final.
            ended = self.ended
            if self._error is not None:
                raise self._error
            there = (measure or self._size)()
            if ended or there >= size:
                return there
            check()
            self._ended.wait(_POLL_SECONDS)

    def wait_end(self, check: Callable[[], None] = _nothing) -> int:
        """Block until nothing more comes; returns and raises like ``wait``."""
        while not self._ended.wait(_POLL_SECONDS):
            check()
        return self.wait(0)

    def _run(self) -> None:
        try:
            self._produce()
        except BaseException as error:
            self._error = error
        finally:
            # What it refers to may refer to this, and shall not live on for that.
            self._produce = _nothing
            self._ended.set()
