"""An object on its way to a file: what is there already can be read while the rest arrives."""

import threading
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.02
"""How late a reader may notice new bytes; it looks with one stat."""


class Arrival:
    """A download that runs in a thread of its own, and the file that it fills.

    Args:
        path: a file that ``download`` creates.
        size: the bytes that the store promises.
        download: fills the file from its beginning to its end; what it raises, every waiter gets.
    """

    def __init__(self, path: Path, size: int, download: Callable[[Path], None]) -> None:
        self.path = path
        self.size = size
        self._ended = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._run, args=(download,), name="download", daemon=True).start()

    def wait(self, position: int, check: Callable[[], None] | None = None) -> int:
        """Block until ``position`` bytes are on disk, or all that there will ever be.

        Args:
            position: bytes from the beginning of the file.
            check: called every few hundredths of a second; what it raises ends the waiting.

        Returns:
            The bytes on disk: fewer than ``position`` only when nothing more comes.

        Raises:
            BaseException: what the download raised, also for bytes that arrived before it did.
        """
        while True:
            # Asked before the size is: the size of a file that has ended is final.
            ended = self._ended.is_set()
            if self._error is not None:
                raise self._error
            there = self._bytes()
            if ended or there >= position:
                return there
            if check is not None:
                check()
            self._ended.wait(_POLL_SECONDS)

    def wait_whole(self, check: Callable[[], None] | None = None) -> None:
        """Block until the download has ended; raises like ``wait``."""
        # The promised size is no end: the download may still find that its object was replaced.
        while not self._ended.wait(_POLL_SECONDS):
            if check is not None:
                check()
        self.wait(0)

    def _bytes(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _run(self, download: Callable[[Path], None]) -> None:
        try:
            download(self.path)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
