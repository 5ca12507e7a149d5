"""What a stranger may upload: every input ends in samples or in one sentence, and touches nothing.

The corpus is made by hostile.py. An input may end in no way that is tried again: a file that
brings a worker down must not do so again and again.
"""

import ctypes
import os
import resource
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.transcriber.decoding import listen
from tests.integration.transcriber.hostile import Bait, families, recording, wave
from transcription_contract.exit_codes import ExitCode
from transcription_contract.options import ChannelMode, SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio import media
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.ffmpeg import MEMORY_BYTES
from whisper_transcriber.errors import LimitExceeded, TranscriberError
from whisper_transcriber.interruption import Interruption

URI = "s3://media/-i /dev/zero;$(id).m3u8"
LIMITS = Limits(max_file_seconds=20, max_file_bytes=64 << 20)
MOST_SECONDS = 30.0
MOST_SAMPLE_BYTES = 20 * 32_000 + (1 << 20)

FAMILIES = tuple(families(Bait("", "")))
_IN_ACCESS_AND_OPEN = 0x01 | 0x20


class Trap:
    """A file and a port that notice being touched."""

    def __init__(self, folder: Path) -> None:
        self._canary = folder / "canary.wav"
        self._canary.write_bytes(wave())
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(os.O_NONBLOCK)
        self._libc.inotify_add_watch(
            self._watch, os.fsencode(self._canary), ctypes.c_uint32(_IN_ACCESS_AND_OPEN)
        )
        self._transcriber = socket.create_server(("127.0.0.1", 0))
        self._transcriber.setblocking(False)
        port = self._transcriber.getsockname()[1]
        self.bait = Bait(str(self._canary), f"http://127.0.0.1:{port}/a.wav")

    def close(self) -> None:
        os.close(self._watch)
        self._transcriber.close()

    @property
    def was_read(self) -> bool:
        try:
            return bool(os.read(self._watch, 4096))
        except BlockingIOError:
            return False

    @property
    def was_called(self) -> bool:
        try:
            self._transcriber.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    (tmp_path / "trap").mkdir()
    trap = Trap(tmp_path / "trap")
    yield trap
    trap.close()


def test_the_traps_notice(trap: Trap) -> None:
    assert not trap.was_read
    assert not trap.was_called
    Path(trap.bait.path).read_bytes()
    host, port = trap.bait.url.split("/")[2].split(":")
    socket.create_connection((host, int(port))).close()
    assert trap.was_read
    assert trap.was_called


def attempt(home: Path, content: bytes) -> str | None:
    """What is wrong with how this input ended, or None."""
    home.mkdir()
    arrival = StreamingDownload(home / "recording", len(content), lambda path: save(path, content))
    samples = home / "samples"
    began = time.monotonic()
    try:
        media.decode(arrival, samples, uri=URI, limits=LIMITS, interruption=Interruption())
    except TranscriberError as error:
        complaint = wrong_with(error, home)
    except Exception as error:
        complaint = f"raised {error!r}"
    else:
        complaint = None if samples.stat().st_size else "neither samples nor an error"
    if time.monotonic() - began > MOST_SECONDS:
        complaint = "took too long"
    if samples.stat().st_size > MOST_SAMPLE_BYTES:
        complaint = "wrote too much"
    if {path.name for path in home.iterdir()} != {"recording", "samples"}:
        complaint = "left files behind"
    return complaint


def save(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def wrong_with(error: TranscriberError, home: Path) -> str | None:
    message = str(error)
    if error.exit_code is not ExitCode.MEDIA_INVALID:
        return f"would be tried again: {error!r}"
    if not message.startswith(URI) and URI not in message:
        return f"does not name the object: {message!r}"
    if not message.isprintable() or len(message) > 500:
        return f"is no sentence: {message!r}"
    if any(name in message for name in (str(home), home.name, "recording:", "pipe:", " @ 0x")):
        return f"tells of the inside: {message!r}"
    return None


def around(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_a_hostile_input_ends_within_its_limits_and_touches_nothing(
    family: str, trap: Trap, tmp_path: Path
) -> None:
    inputs = families(trap.bait)[family]()
    before = around(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    homes = [work / f"w{number:03}" for number in range(len(inputs))]
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(attempt, homes, [content for _, content in inputs]))
    assert not trap.was_read
    assert not trap.was_called
    assert {name: end for (name, _), end in zip(inputs, ends, strict=True) if end} == {}
    after = around(tmp_path)
    assert {path: state for path, state in after.items() if str(work) not in path} == before
    # KiB, of the largest child so far; the libraries' own pages come on top of what it may ask for.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < (MEMORY_BYTES >> 10) * 1.2


def test_the_corpus_is_large_and_the_same_each_time() -> None:
    bait = Bait("/canary", "http://127.0.0.1:1/a.wav")
    corpora = [[each for make in families(bait).values() for each in make()] for _ in range(2)]
    names = [name for name, _ in corpora[0]]
    assert len(names) == len(set(names)) >= 200
    assert corpora[0] == corpora[1]


@settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.sampled_from(["", "mp3", "m4a", "flac", "ogg", "webm", "wav", "wma"]),
    damage=st.lists(st.tuples(st.integers(0, 8_000), st.binary(min_size=1, max_size=30))),
    rest=st.binary(max_size=300),
)
def test_any_bytes_are_samples_or_a_sentence(
    start: str,
    damage: list[tuple[int, bytes]],
    rest: bytes,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    content = bytearray(recording(start) if start else b"")
    for position, junk in damage:
        content[position : position + len(junk)] = junk
    home = tmp_path_factory.mktemp("any") / "home"
    assert attempt(home, bytes(content) + rest) is None


def test_a_recording_of_more_channels_than_any_is_not_split_into_them(tmp_path: Path) -> None:
    path, samples = tmp_path / "wide.wav", b"\1\1" * 80 * 1600
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 80, 16_000, 80 * 32_000, 160, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    with pytest.raises(LimitExceeded, match="more than 64 channels or tracks"):
        listen(path, SourceAudio(channels=ChannelMode.SEPARATE))
