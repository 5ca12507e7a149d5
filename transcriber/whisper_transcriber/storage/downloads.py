"""What every store has in common: retries, resumed downloads, and room on the disk."""

import errno
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BufferedWriter
from pathlib import Path
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential, wait_random
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ProtocolError

from transcription_contract.locations import ObjectUri
from whisper_transcriber.errors import VolumeFull
from whisper_transcriber.interruption import Interruption

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
CHUNK_BYTES = 1 << 20

LEAST_BYTES = 1 << 16
"""What an attempt has to bring to be called progress, and a connection in every READ_SECONDS: a
server that lets single bytes drip would otherwise hold a worker for ever."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_RANGE = re.compile(r"bytes (?:(?P<start>\d{1,18})-\d+|\*)/(?P<size>\d{1,18})")
_SIZE = re.compile(r"[0-9]{1,18}")
_Answer = TypeVar("_Answer")


def patiently(
    call: Callable[[], _Answer],
    is_worth_a_retry: Callable[[BaseException], bool],
    seconds: float,
    interruption: Interruption,
) -> _Answer:
    """What ``call`` returns, tried again with jitter for so many seconds; then its last error.

    Raises:
        Interrupted: a stop was requested, during an attempt or between two.
    """
    attempt: Callable[[Callable[[], _Answer]], _Answer] = interruption.during
    attempts = Retrying(
        retry=retry_if_exception(is_worth_a_retry),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.2, max=15.0) + wait_random(0.0, 1.0),
        sleep=interruption.wait,
        reraise=True,
    )
    answer: _Answer = attempts(attempt, call)
    return answer


@contextmanager
def new_file(path: Path, uri: ObjectUri | str, *, resume: bool = False) -> Iterator[BufferedWriter]:
    """A file for what ``uri`` holds: a new one, or with ``resume`` one that has its first bytes.

    Raises:
        VolumeFull: there is no room for it.
    """
    with room_for(uri), path.open("ab" if resume else "xb") as file:
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


class Pace:
    """Gives a connection up that brings less than LEAST_BYTES in READ_SECONDS."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since, self._received = clock(), 0

    def count(self, size: int) -> None:
        """So many bytes have come.

        Raises:
            ProtocolError: they are too few.
        """
        self._received += size
        if self._clock() - self._since < READ_SECONDS:
            return
        if self._received < LEAST_BYTES:
            raise ProtocolError(f"only {self._received} bytes came in {READ_SECONDS:.0f} seconds")
        self._since, self._received = self._clock(), 0


def append(
    response: BaseHTTPResponse,
    size: int,
    file: BufferedWriter,
    at_each_chunk: Callable[[], None],
) -> None:
    """Append the bytes that ``file`` lacks of an object of ``size`` bytes.

    The bytes are written as they are stored, whatever Content-Encoding says, and never more than
    ``size``. A server that does not know ranges sends the object from its beginning; what the file
    has already is passed over, since others read the file while it grows.

    Raises:
        ProtocolError: the response is another part, ends early or is too slow.
    """
    skip = file.tell() - start_of(response)
    if skip < 0:
        raise ProtocolError("the server left out a part")
    pace = Pace()
    while file.tell() < size:
        at_each_chunk()
        chunk = response.read1(CHUNK_BYTES, decode_content=False)
        if not chunk:
            raise ProtocolError(f"it ended after {file.tell()} of {size} bytes")
        pace.count(len(chunk))
        file.write(chunk[skip : skip + size - file.tell()])
        skip = max(0, skip - len(chunk))


def start_of(response: BaseHTTPResponse) -> int:
    """The offset of a response's first byte in the whole object.

    Raises:
        ProtocolError: it is a part that does not say which.
    """
    if response.status == 200:
        return 0
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not found or not found["start"]:
        raise ProtocolError("the server did not send the part that was asked for")
    return int(found["start"])


def whole_size(response: BaseHTTPResponse) -> int | None:
    """The whole object's size in bytes, of whichever part a response is; None if it is not told."""
    whole = response.status == 200
    told = response.headers.get("Content-Length" if whole else "Content-Range", "")
    if whole:
        return int(told) if _SIZE.fullmatch(told) else None
    found = _RANGE.fullmatch(told.strip())
    return int(found["size"]) if found else None


def moment(date: str) -> datetime | None:
    """A header's date, such as Last-Modified's; None if it is none."""
    try:
        return parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None


def is_busy(status: int) -> bool:
    """Whether an HTTP status means that the same request may succeed a little later."""
    return status in (408, 429) or (status >= 500 and status != 501)  # 501: Not Implemented


def is_untrusted(error: BaseException) -> bool:
    """Whether a request failed because the server's certificate is not trusted."""
    causes: Iterator[object] = iter((error, error.__cause__, error.__context__, *error.args))
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes)


def short(error: BaseException) -> str:
    """The first line of a library's message."""
    return str(error).partition("\n")[0][:300]
