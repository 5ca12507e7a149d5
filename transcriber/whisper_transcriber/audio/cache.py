"""The job's recordings as samples on this worker's disk, fetched when they are first asked for.

What was not needed for longest makes room when the disk fills: it can be fetched again.
"""

import logging
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from numpy import int16
from numpy.typing import NDArray

from transcription_contract.task import Limits
from whisper_transcriber.audio import media
from whisper_transcriber.audio.fetch import StreamingDownload, bytes_in
from whisper_transcriber.audio.samples import SAMPLE_BYTES, Samples, Waveform
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.errors import SourceReplaced
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.store import ObjectMissingError, Store, StoredObject

log = logging.getLogger(__name__)

_SIGN_SECONDS = 5.0


class AudioCache:
    """Samples by the number of their item. Safe to use from several threads."""

    def __init__(
        self,
        sources: Sequence[StoredObject],
        scratch: Path,
        *,
        store: Store,
        limits: Limits,
        interruption: Interruption,
        sign_of_life: Callable[[], None],
    ) -> None:
        """``sign_of_life``: called while a slow source delivers."""
        self._sources = sources
        self._scratch = scratch
        self._store = store
        self._limits = limits
        self._stop = interruption.child()
        self._sign_of_life = sign_of_life
        self._lock = threading.Lock()
        self._open: OrderedDict[int, Samples] = OrderedDict()
        self._fed: dict[int, int] = {}
        self._sign = (0.0, 0)
        self._room = limits.max_file_bytes + limits.max_file_seconds * SAMPLE_RATE * SAMPLE_BYTES

    def samples(self, item: int) -> Samples:
        """An item's samples; the first to ask starts its download and decoding."""
        with self._lock:
            if item not in self._open:
                self._make_room()
                self._open[item] = self._start(item)
            self._open.move_to_end(item)
            return self._open[item]

    def waveform(self, item: int, start: int, stop: int) -> Waveform:
        """See Samples.waveform."""
        return self.samples(item).waveform(start, stop)

    def integers(self, item: int, start: int, stop: int) -> NDArray[int16]:
        """See Samples.integers."""
        return self.samples(item).integers(start, stop)

    def release(self, item: int) -> None:
        """The item is not needed any more."""
        with self._lock:
            self._drop(item)

    def expected_samples(self, item: int) -> int | None:
        """How long an item that is still being decoded will be, by the share of its bytes that
        are; None while there is nothing to tell by."""
        with self._lock:
            samples, fed = self._open.get(item), self._fed.get(item, 0)
        if samples is None or not fed:
            return None
        return round(samples.so_far * self._sources[item].size / fed)

    def close(self) -> None:
        """Stop whatever still runs."""
        self._stop.request()

    def _start(self, item: int) -> Samples:
        source = self._sources[item]
        folder = self._scratch / str(item)
        folder.mkdir()
        # Names of ours: the user's could be an option, a URL or a pattern to ffmpeg.
        arrival = StreamingDownload(
            folder / "recording", source.size, partial(self._download, source)
        )
        return Samples(
            folder / "samples",
            partial(self._decode, item, arrival, folder / "samples"),
            self._wait,
        )

    def _download(self, source: StoredObject, path: Path) -> None:
        try:
            self._store.download(source, path)
        except ObjectMissingError:
            raise SourceReplaced(f"{source.shown} was removed while the job was running") from None

    def _decode(self, item: int, arrival: StreamingDownload, target: Path) -> None:
        media.decode(
            arrival, target,
            uri=self._sources[item].shown, limits=self._limits, interruption=self._stop,
            fed=partial(self._fed.__setitem__, item),
        )  # fmt: skip
        arrival.path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        while self._on_disk() > self._room:
            done = next((item for item, each in self._open.items() if each.complete), None)
            if done is None:
                return
            self._drop(done)

    def _drop(self, item: int) -> None:
        samples = self._open.get(item)
        # What is still being decoded cannot be started a second time in the same place.
        if samples is not None and samples.complete:
            del self._open[item]
            shutil.rmtree(self._scratch / str(item), ignore_errors=True)

    def _on_disk(self) -> int:
        files = [self._scratch / str(item) / name
                 for item in self._open for name in ("recording", "samples")]  # fmt: skip
        return sum(bytes_in(path) for path in files)

    def _wait(self) -> None:
        """While somebody waits for samples: a slow source that delivers is no standstill."""
        self._stop.check()
        now = time.monotonic()
        if now - self._sign[0] < _SIGN_SECONDS:
            return
        with self._lock:
            there = self._on_disk()
        if there != self._sign[1]:
            self._sign_of_life()
        self._sign = (now, there)
