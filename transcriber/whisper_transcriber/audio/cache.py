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

from transcription_contract.options import ChannelMode, SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio import levels, media
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.fetch import StreamingDownload, bytes_in
from whisper_transcriber.audio.media import Findings, lane_path
from whisper_transcriber.audio.samples import SAMPLE_BYTES, Samples, Waveform, as_waveform
from whisper_transcriber.audio.tracks import AUTO
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.errors import SourceReplaced
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.storage.store import ObjectMissingError, Store, StoredObject

log = logging.getLogger(__name__)

DOWNLOADS = 8
"""At the same time; others wait for one of them to end."""

_SIGN_SECONDS = 5.0
_SLOT_SECONDS = 0.1


class _Item:
    """One recording on disk, or on its way there."""

    def __init__(self, folder: Path, stop: Interruption) -> None:
        self.folder = folder
        self.stop = stop
        self.findings = Findings()
        self.fed = 0
        self.lanes: dict[int, Samples] = {}

    @property
    def files(self) -> list[Path]:
        """Whatever of it takes room."""
        samples = self.folder / "samples"
        return [self.folder / "recording", *(lane_path(samples, each) for each in self.lanes)]


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
        audio: SourceAudio = AUTO,
    ) -> None:
        """``sign_of_life``: called while a slow source delivers. ``audio``: the sound wanted."""
        self._sources = sources
        self._scratch = scratch
        self._store = store
        self._limits = limits
        self._audio = audio
        self._stop = interruption.child()
        self._sign_of_life = sign_of_life
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(DOWNLOADS)
        self._open: OrderedDict[int, _Item] = OrderedDict()
        self._sign = (0.0, 0)
        self._room = limits.max_file_bytes + limits.max_file_seconds * SAMPLE_RATE * SAMPLE_BYTES

    def samples(self, item: int, lane: int = 0) -> Samples:
        """An item's samples; the first to ask starts its download and decoding.

        Args:
            lane: which of the sounds that are transcribed by themselves; below ``lanes(item)``.
        """
        found = self._item(item)
        if lane == 0:
            return found.lanes[0]
        self.lanes(item)
        with self._lock:
            if lane not in found.lanes:
                path = lane_path(found.folder / "samples", lane)
                found.lanes[lane] = found.lanes[0].lane(path)
            return found.lanes[lane]

    def lanes(self, item: int) -> int:
        """How many sounds of an item are transcribed by themselves; waits until that is known."""
        if self._audio.track != "all" and self._audio.channels is ChannelMode.MIX:
            return 1
        found = self._item(item)
        found.lanes[0].wait_for(lambda: found.findings.lanes is not None)
        return found.findings.lanes or 1

    def facts(self, item: int) -> AudioFacts | None:
        """Which of an item's sound is transcribed; waits until it is decoded to its end."""
        found = self._item(item)
        return found.findings.facts if found.lanes[0].count else None

    def warnings(self, item: int) -> tuple[AudioWarning, ...]:
        """What a listener should know of an item; waits until it is decoded to its end."""
        found = self._item(item)
        return tuple(found.findings.warnings) if found.lanes[0].count else ()

    def waveform(self, item: int, start: int, stop: int, lane: int = 0) -> Waveform:
        """What the model hears of a stretch: see Samples.waveform; louder if it is very quiet."""
        samples = self.integers(item, start, stop, lane)
        factor = levels.gain(lambda a, b: samples[a:b], 0, len(samples), levels.VERY_QUIET)
        return levels.amplified(as_waveform(samples), factor)

    def integers(self, item: int, start: int, stop: int, lane: int = 0) -> NDArray[int16]:
        """See Samples.integers."""
        return self.samples(item, lane).integers(start, stop)

    def release(self, item: int) -> None:
        """The item is not needed any more."""
        with self._lock:
            self._drop(item)

    def expected_samples(self, item: int) -> int | None:
        """How long an item that is still being decoded will be, by the share of its bytes that
        are; None while there is nothing to tell by."""
        with self._lock:
            found = self._open.get(item)
        if found is None or not found.fed:
            return None
        return round(found.lanes[0].so_far * self._sources[item].size / found.fed)

    def close(self) -> None:
        """Stop whatever still runs."""
        self._stop.request()

    def _item(self, item: int) -> _Item:
        with self._lock:
            if item not in self._open:
                self._make_room()
                self._open[item] = self._start(item)
            self._open.move_to_end(item)
            return self._open[item]

    def _start(self, item: int) -> _Item:
        started = _Item(self._scratch / str(item), self._stop.child())
        started.folder.mkdir()
        path = started.folder / "samples"
        decode = partial(self._decode, self._sources[item], started)
        started.lanes[0] = Samples(path, decode, self._wait)
        return started

    def _decode(self, source: StoredObject, item: _Item) -> None:
        uri = source.uri.shown
        try:
            media.check_size(uri, source.size, self._limits)
            # Names of ours: the user's could be an option, a URL or a pattern to ffmpeg.
            arrival = StreamingDownload(
                item.folder / "recording", source.size, partial(self._download, source, item.stop)
            )
            media.decode(
                arrival, item.folder / "samples",
                uri=uri, limits=self._limits, interruption=item.stop, audio=self._audio,
                findings=item.findings, fed=partial(setattr, item, "fed"),
            )  # fmt: skip
            arrival.path.unlink(missing_ok=True)
        finally:
            # What is refused is not fetched to its end.
            item.stop.request()

    def _download(self, source: StoredObject, stop: Interruption, path: Path) -> None:
        while not self._slots.acquire(timeout=_SLOT_SECONDS):
            stop.check()
        try:
            self._store.download(source, path, at_each_chunk=stop.check)
        except ObjectMissingError:
            raise SourceReplaced(
                f"{source.uri.shown} was removed while the job was running"
            ) from None
        finally:
            self._slots.release()

    def _make_room(self) -> None:
        while self._on_disk() > self._room:
            done = next((item for item, each in self._open.items() if each.lanes[0].complete), None)
            if done is None:
                return
            self._drop(done)

    def _drop(self, item: int) -> None:
        found = self._open.get(item)
        # What is still being decoded cannot be started a second time in the same place.
        if found is not None and found.lanes[0].complete:
            del self._open[item]
            shutil.rmtree(found.folder, ignore_errors=True)

    def _on_disk(self) -> int:
        return sum(bytes_in(path) for item in self._open.values() for path in item.files)

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
