import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.unit.transcriber.privileges import without_privileges
from whisper_transcriber.errors import ConfigurationInvalid, Interrupted, ModelInvalid, VolumeFull
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import cache as cache_module
from whisper_transcriber.models.cache import ModelCache

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def cache(folder: Path, interruption: Interruption | None = None) -> ModelCache:
    return ModelCache(folder, interruption or Interruption())


def write(path: Path) -> None:
    path.write_bytes(CONTENT)


def never(_: Path) -> None:
    pytest.fail("it was there already")


def filled(folder: Path) -> Path:
    return cache(folder).add("mine", SHA256, write)


def test_what_was_added_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "new" / "models")
    assert path.read_bytes() == CONTENT
    assert cache(path.parent).find(SHA256) == path
    assert cache(path.parent).add("mine", SHA256, never) == path


def test_an_empty_or_missing_directory_holds_nothing(tmp_path: Path) -> None:
    assert cache(tmp_path).find(SHA256, "mine.pt") is None
    assert cache(tmp_path / "none").find(SHA256) is None
    assert not cache(tmp_path / "none").holds(SHA256, "mine.pt")


def test_a_file_is_hashed_once_in_its_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large.pt").write_bytes(CONTENT)
    assert cache(tmp_path).find(SHA256, "large.pt")
    monkeypatch.setattr(ModelCache, "_sha256", lambda _, path: never(path))
    assert cache(tmp_path).find(SHA256, "large.pt")
    with pytest.raises(BaseException, match="it was there already"):
        cache(tmp_path).find("a" * 64, "large.pt")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"rotten!"), id="other bytes, as many"),
        pytest.param(lambda path: path.write_bytes(b""), id="none"),
        pytest.param(lambda path: path.unlink(), id="gone"),
    ],
)
def test_a_damaged_file_is_fetched_again(damage: Callable[[Path], object], tmp_path: Path) -> None:
    path = filled(tmp_path)
    damage(path)
    assert cache(tmp_path).find(SHA256) is None
    assert filled(tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("note", [b"", b"\xff", b"yes\n", f"{'a' * 64} 7 1\n".encode()])
def test_a_note_that_says_something_else_is_not_believed(note: bytes, tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(b"rotten!")
    path.with_suffix(".ok").write_bytes(note)
    assert cache(tmp_path).find(SHA256) is None


def test_a_read_only_directory_with_the_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "large.pt").write_bytes(CONTENT)
    tmp_path.chmod(0o555)
    with without_privileges(tmp_path):
        found = cache(tmp_path).find(SHA256, "large.pt")
    tmp_path.chmod(0o755)
    assert found == tmp_path / "large.pt"
    assert os.listdir(tmp_path) == ["large.pt"]


def test_a_read_only_directory_without_it_is_a_configuration_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with (
        without_privileges(tmp_path),
        pytest.raises(ConfigurationInvalid, match="'mine', and the worker may not write to it"),
    ):
        cache(tmp_path).add("mine", SHA256, never)
    tmp_path.chmod(0o755)


def test_a_full_volume_is_told_and_left_as_it_was(tmp_path: Path) -> None:
    def fill(path: Path) -> None:
        path.write_bytes(CONTENT)
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(CONTENT)

    with pytest.raises(VolumeFull, match="no room for the model 'mine'"):
        cache(tmp_path).add("mine", SHA256, fill)
    assert os.listdir(tmp_path) == [f"{SHA256}.lock"]


def test_another_checksum_is_refused_with_both(tmp_path: Path) -> None:
    write(tmp_path / "file")
    with pytest.raises(ModelInvalid) as refused:
        cache(tmp_path).require(tmp_path / "file", "a" * 64, "s3://models/mine.pt")
    for word in ("s3://models/mine.pt", "a" * 64, SHA256):
        assert word in str(refused.value)


def test_of_two_workers_one_fetches_and_the_other_says_that_it_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(cache_module, "_LOCK_POLL_SECONDS", 0.01)
    waiting = "another worker is fetching the model 'mine'"

    def slowly(path: Path) -> None:
        other.start()
        wait_until("the other waits", lambda: waiting in caplog.text, timeout=10)
        write(path)

    found: list[Path] = []
    other = threading.Thread(
        target=lambda: found.append(cache(tmp_path).add("mine", SHA256, never))
    )
    path = cache(tmp_path).add("mine", SHA256, slowly)
    other.join(10)
    assert found == [path]
    assert caplog.text.count(waiting) == 1


def test_waiting_can_be_interrupted(tmp_path: Path) -> None:
    interruption = Interruption()
    interruption.request()
    with (tmp_path / f"{SHA256}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Interrupted):
            cache(tmp_path, interruption).add("mine", SHA256, never)


def test_a_volume_that_knows_no_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    living = tmp_path / f".{SHA256}.another.part"
    living.write_bytes(b"another worker's, who is at it")

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert filled(tmp_path).read_bytes() == CONTENT
    assert "the model volume cannot be locked" in caplog.text
    assert living.exists()


def test_what_killed_downloads_left_is_removed(tmp_path: Path) -> None:
    ours, living, dead = (
        tmp_path / f".{sha256}.1234.part" for sha256 in (SHA256, "b" * 64, "c" * 64)
    )
    for path in (ours, living, dead):
        path.write_bytes(b"half")
    yesterday = time.time() - 86400
    os.utime(dead, (yesterday, yesterday))
    filled(tmp_path)
    assert [path.exists() for path in (ours, living, dead)] == [False, True, False]


def test_hashing_can_be_interrupted(tmp_path: Path) -> None:
    interruption = Interruption()
    interruption.request()
    (tmp_path / f"{SHA256}.pt").write_bytes(CONTENT)
    with pytest.raises(Interrupted):
        cache(tmp_path, interruption).find(SHA256)


def test_a_download_that_was_interrupted_is_continued(tmp_path: Path) -> None:
    def begin(path: Path) -> None:
        path.write_bytes(CONTENT[:3])
        raise Interrupted("stop")

    def go_on(path: Path) -> None:
        with path.open("ab") as file:
            file.write(CONTENT[file.tell() :])

    with pytest.raises(Interrupted):
        cache(tmp_path).add("mine", SHA256, begin)
    assert cache(tmp_path).add("mine", SHA256, go_on).read_bytes() == CONTENT
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".ok", ".pt"]


def test_hashing_and_waiting_give_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_LOCK_POLL_SECONDS", 0.01)
    signs: list[int] = []
    interruption = Interruption()
    watched = ModelCache(tmp_path, interruption, lambda: signs.append(1))
    (tmp_path / f"{SHA256}.pt").write_bytes(CONTENT)
    assert watched.find(SHA256)
    assert signs
    signs.clear()

    def wait() -> None:
        with pytest.raises(Interrupted):
            watched.add("mine", "a" * 64, never)

    with (tmp_path / f"{'a' * 64}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=wait)
        waiting.start()
        wait_until("it shows that it waits", lambda: len(signs) > 2, timeout=10)
        interruption.request()
        waiting.join(10)
