"""The end of a process whose threads do not stop when they are asked to."""

import threading
from collections.abc import Callable

from whisper_transcriber.interruption import Interruption

STOP_SECONDS = 4.0
"""A batch of a large model on a processor takes longer; what it has done is lost, nothing else."""

_POLL_SECONDS = 0.25


def stop_for_good(
    interruption: Interruption, end: Callable[[], None], seconds: float = STOP_SECONDS
) -> None:
    """Call ``end`` some seconds after an interruption was requested, from a thread of its own.

    Args:
        interruption: requested by a signal.
        end: ends the process; everything that matters is stored already, part by part.
        seconds: how long the process has to stop by itself.
    """

    def watch() -> None:
        waiting = threading.Event()
        while not interruption.requested:
            waiting.wait(_POLL_SECONDS)
        waiting.wait(seconds)
        end()

    threading.Thread(target=watch, name="stopping", daemon=True).start()
