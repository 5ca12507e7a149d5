import queue
from pathlib import Path

import pytest

from dev.commands import wait_until
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.errors import Interrupted, SourceReplaced
from whisper_transcriber.interruption import Interruption

END = b""


class Sender:
    """A download whose pieces come when the test sends them; ``END`` is its end."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()

    def send(self, *pieces: bytes | BaseException) -> "Sender":
        for piece in pieces:
            self._pieces.put(piece)
        return self

    def __call__(self, path: Path) -> None:
        with path.open("wb", buffering=0) as file:
            while (piece := self._pieces.get(timeout=20)) != END:
                if isinstance(piece, BaseException):
                    raise piece
                file.write(piece)


def arrive(folder: Path, sender: Sender, size: int = 10) -> StreamingDownload:
    return StreamingDownload(folder / "recording", size, sender)


def test_what_is_there_is_told_before_the_rest_arrives(tmp_path: Path) -> None:
    sender = Sender().send(b"12345")
    arrival = arrive(tmp_path, sender)
    assert arrival.wait(3) == 5
    assert (arrival.path, arrival.size) == (tmp_path / "recording", 10)
    assert arrival.wait(0) == 5
    sender.send(b"67890", END)
    assert arrival.wait(6) == 10


def test_a_wait_beyond_the_end_returns_at_the_end(tmp_path: Path) -> None:
    arrival = arrive(tmp_path, Sender().send(b"1234567890", END))
    assert arrival.wait(10_000) == 10


def test_an_empty_object_is_whole_at_once(tmp_path: Path) -> None:
    arrival = arrive(tmp_path, Sender().send(END), size=0)
    arrival.wait_whole()
    assert arrival.wait(1) == 0


def test_an_object_is_not_whole_before_the_download_has_said_so(tmp_path: Path) -> None:
    sender = Sender().send(b"1234567890")
    arrival = arrive(tmp_path, sender)
    assert arrival.wait(10) == 10
    asked: list[None] = []

    def check() -> None:
        asked.append(None)
        if len(asked) == 2:
            sender.send(END)

    arrival.wait_whole(check)
    assert len(asked) >= 2


def test_what_the_download_raised_reaches_every_waiter_whatever_is_there(tmp_path: Path) -> None:
    broken = SourceReplaced("s3://media/a was replaced")
    arrival = arrive(tmp_path, Sender().send(b"12345", broken))
    for wait in (lambda: arrival.wait(6), lambda: arrival.wait(1), arrival.wait_whole):
        with pytest.raises(SourceReplaced) as raised:
            wait()
        assert raised.value is broken


def test_a_download_that_never_made_its_file_is_told_apart_from_an_empty_one(
    tmp_path: Path,
) -> None:
    def fail(path: Path) -> None:
        raise ConnectionError(path.name)

    with pytest.raises(ConnectionError, match="recording"):
        StreamingDownload(tmp_path / "recording", 10, fail).wait(1)


def test_a_wait_can_be_left_while_nothing_comes(tmp_path: Path) -> None:
    interruption = Interruption()
    arrival = arrive(tmp_path, Sender().send(b"12345"))
    wait_until("the first bytes", lambda: arrival.wait(0) == 5, timeout=5)
    interruption.request()
    with pytest.raises(Interrupted):
        arrival.wait(6, interruption.check)
    with pytest.raises(Interrupted):
        arrival.wait_whole(interruption.check)
