"""What every store's downloads have in common: patience, trust, and room on the disk."""

import errno
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path
from typing import TypeVar

import stamina

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import VolumeFull

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CHUNK_BYTES = 1 << 20

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_Answer = TypeVar("_Answer")


def patiently(
    call: Callable[[], _Answer], is_worth_a_retry: Callable[[Exception], bool], seconds: float
) -> _Answer:
    """What ``call`` returns, tried again with jitter for so many seconds; then its last error."""
    for attempt in stamina.retry_context(
        on=is_worth_a_retry,
        attempts=None,
        timeout=seconds,
        wait_initial=0.2,
        wait_max=15.0,
        wait_jitter=1.0,
    ):
        with attempt:
            return call()
    raise AssertionError("stamina neither returned nor raised")


@contextmanager
def new_file(path: Path, uri: ObjectUri | str) -> Iterator[BufferedWriter]:
    """A file that must not exist yet, for what ``uri`` holds.

    Raises:
        VolumeFull: there is no room for it.
    """
    with room_for(uri), path.open("xb") as file:
        yield file


@contextmanager
def room_for(uri: ObjectUri | str) -> Iterator[None]:
    """Tell a full disk from other errors while something called ``uri`` is written.

    Raises:
        VolumeFull: it is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise VolumeFull(f"the volume has no room for {uri}: {error.strerror}") from error


def is_busy(status: int) -> bool:
    """Whether an HTTP status means that the same request may succeed a little later."""
    return status in (408, 429) or status >= 500


def is_untrusted(error: Exception) -> bool:
    """Whether a request failed because the server's certificate is not trusted."""
    causes: Iterator[object] = iter((error, error.__cause__, error.__context__, *error.args))
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


def short(error: Exception) -> str:
    """The first line of a library's message."""
    return str(error).partition("\n")[0][:300]
