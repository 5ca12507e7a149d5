"""Bytes into a pipe while they arrive."""

import os
import subprocess
import threading
import time
from collections.abc import Callable

from whisper_transcriber.audio.fetch import StreamingDownload

_PIECE_BYTES = 1 << 16


class Feeder:
    """Hands an object to ffmpeg's standard input while it arrives, from a thread of its own.

    ``error``: what the download raised; it has ended ffmpeg then.
    """

    def __init__(
        self,
        arrival: StreamingDownload,
        fed: Callable[[int], None],
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        """Hand over the bytes from ``start`` to ``stop`` (excluded); None: to the end."""
        self._start = start
        self._stop_at = stop
        self.error: BaseException | None = None
        self._arrival = arrival
        self._fed = fed
        self._stopped = threading.Event()
        self._waited = 0.0
        self._waiting_since: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def waited_seconds(self) -> float:
        """How long there was nothing to hand over."""
        since = self._waiting_since
        return self._waited + (time.monotonic() - since if since is not None else 0.0)

    def start(self, process: "subprocess.Popen[bytes]") -> None:
        """Begin to feed."""
        assert process.stdin is not None
        self._thread = threading.Thread(
            target=self._run, args=(process, process.stdin.fileno()), name="feeder", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Return when nothing is written any more."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _run(self, process: "subprocess.Popen[bytes]", target: int) -> None:
        try:
            self._feed(target)
        except (BrokenPipeError, _StoppedError):
            pass  # ffmpeg has seen enough
        except BaseException as error:
            self.error = error
            process.kill()
        finally:
            assert process.stdin is not None
            process.stdin.close()

    def _feed(self, target: int) -> None:
        position = self._start
        with self._arrival.path.open("rb", buffering=0) as source:
            source.seek(position)
            while (there := self._await(position + 1)) > position:
                while position < there:
                    self._check()
                    piece = source.read(min(_PIECE_BYTES, there - position))
                    write_all(target, piece)
                    position += len(piece)
                    self._fed(position)

    def _await(self, position: int) -> int:
        if self._stop_at is not None and position > self._stop_at:
            return self._stop_at
        self._waiting_since = began = time.monotonic()
        try:
            there = self._arrival.wait(position, self._check)
            return there if self._stop_at is None else min(there, self._stop_at)
        finally:
            self._waiting_since = None
            self._waited += time.monotonic() - began

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError


class _StoppedError(Exception):
    pass


def write_all(file: int, piece: bytes) -> None:
    """Write every byte of ``piece`` to a file descriptor: a pipe or a full disk takes a part."""
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]
