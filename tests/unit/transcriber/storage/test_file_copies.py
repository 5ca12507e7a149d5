import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.transcriber.storage.test_files import STORE, at
from whisper_transcriber.errors import (
    Interrupted,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.files import FileStore
from whisper_transcriber.storage.store import ObjectMissingError


def test_a_download_is_a_copy(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    uri = at(tmp_path, "talk.mp3")
    STORE.put(uri, content)
    STORE.download(STORE.stat(uri), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_a_source_that_was_changed_is_noticed_before_it_is_copied(tmp_path: Path) -> None:
    uri = at(tmp_path, "talk.mp3")
    STORE.put(uri, b"one")
    source = STORE.stat(uri)
    STORE.put(uri, b"another")
    with pytest.raises(SourceReplaced, match=r"talk.mp3 was changed"):
        STORE.download(source, tmp_path / "copy")


class _Meddler(Interruption):
    """Does something at the first safe point."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act

    def check(self) -> None:
        act, self._act = self._act, lambda: None
        act()
        super().check()


def test_a_source_that_changes_while_it_is_copied_is_noticed(tmp_path: Path) -> None:
    uri = at(tmp_path, "talk.mp3")
    STORE.put(uri, bytes(3_000_000))

    def append() -> None:
        with (tmp_path / "talk.mp3").open("ab") as file:
            file.write(b"more")

    with pytest.raises(SourceReplaced):
        FileStore(_Meddler(append)).download(STORE.stat(uri), tmp_path / "copy")


def test_a_copy_can_be_interrupted(tmp_path: Path) -> None:
    uri = at(tmp_path, "talk.mp3")
    STORE.put(uri, b"x")
    interruption = Interruption()
    interruption.request()
    with pytest.raises(Interrupted):
        FileStore(interruption).download(STORE.stat(uri), tmp_path / "copy")


def test_a_source_that_was_removed_is_missing(tmp_path: Path) -> None:
    uri = at(tmp_path, "talk.mp3")
    STORE.put(uri, b"x")
    source = STORE.stat(uri)
    STORE.remove(uri)
    with pytest.raises(ObjectMissingError):
        STORE.download(source, tmp_path / "copy")
