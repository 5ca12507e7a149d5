"""What is fetched, and what no longer is, once it has been refused."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dev.commands import wait_until
from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from transcription_contract.task import Limits
from whisper_transcriber.audio.cache import DOWNLOADS, AudioCache
from whisper_transcriber.errors import LimitExceeded, MediaInvalid
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.store import StoredObject, nothing

PIECE = b"PK\3\4" + bytes(4092)
ENDLESS_BYTES = 1 << 40
LIMITS = Limits(max_file_bytes=1 << 50)


class SlowStore(MemoryStore):
    """Its objects have no end: whoever wants less must say so. ``fetched``: bytes so far."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched = 0
        self.running = 0
        self.most = 0
        self.ended = threading.Semaphore(0)
        self._counts = threading.Lock()

    def download(
        self,
        source: StoredObject,
        path: Path,
        *,
        resume: bool = False,
        at_each_chunk: Callable[[], None] = nothing,
    ) -> None:
        with self._counts:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            with path.open("wb", buffering=0) as file:
                while True:
                    at_each_chunk()
                    file.write(PIECE)
                    self.fetched += len(PIECE)
                    threading.Event().wait(0.001)
        finally:
            with self._counts:
                self.running -= 1
            self.ended.release()


def cache(store: SlowStore, scratch: Path, items: int = 1, limits: Limits = LIMITS) -> AudioCache:
    return AudioCache(
        [
            StoredObject(ObjectUri("media", f"{number}.zip"), "e", ENDLESS_BYTES)
            for number in range(items)
        ],
        scratch,
        store=store,
        limits=limits,
        interruption=Interruption(),
        sign_of_life=nothing,
    )


def test_a_refused_object_is_not_fetched_any_further(tmp_path: Path) -> None:
    store = SlowStore()
    recordings = cache(store, tmp_path)
    with pytest.raises(MediaInvalid, match="ZIP archive"):
        _ = recordings.samples(0).count
    assert store.ended.acquire(timeout=20), "the download goes on"
    assert store.fetched < 10 << 20


def test_an_object_that_is_too_large_is_not_fetched_at_all(tmp_path: Path) -> None:
    store = SlowStore()
    recordings = cache(store, tmp_path, limits=Limits(max_file_bytes=1000))
    with pytest.raises(LimitExceeded, match="maxFileBytes"):
        _ = recordings.samples(0).count
    assert store.fetched == 0


def test_closing_ends_every_download_and_few_run_at_once(tmp_path: Path) -> None:
    store = SlowStore()
    recordings = cache(store, tmp_path, items=3 * DOWNLOADS)
    for item in range(3 * DOWNLOADS):
        recordings.samples(item)
    recordings.close()
    wait_until("all downloads have ended", lambda: store.running == 0, timeout=20)
    assert store.most <= DOWNLOADS
