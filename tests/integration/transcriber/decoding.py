"""Decoding a file of the test's as a worker does."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcription_contract.options import SourceAudio
from transcription_contract.task import Limits
from whisper_transcriber.audio import media
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.media import Findings, lane_path
from whisper_transcriber.audio.tracks import AUTO
from whisper_transcriber.interruption import Interruption

URI = "s3://media/-i; rm.mp3"
LIMITS = Limits(max_file_seconds=60)
DAY = Limits()


def decode(
    path: Path,
    limits: Limits = LIMITS,
    *,
    download: Callable[[Path], object] | None = None,
    fed: Callable[[int], None] = lambda _: None,
    interruption: Interruption | None = None,
) -> NDArray[np.int16]:
    """The samples of ``path``, which arrives alone in a folder as in a pod."""
    home = path.parent / f"{path.name}.home"
    home.mkdir()
    size = path.stat().st_size
    arrival = StreamingDownload(home / "recording", size, download or partial(shutil.copy, path))
    media.decode(
        arrival, home / "samples", uri=URI, limits=limits, fed=fed,
        interruption=interruption or Interruption(),
    )  # fmt: skip
    return np.fromfile(home / "samples", "<i2")


RATE = 16_000
_FRAME = RATE // 10
_AUDIBLE = 300
_PAUSE_FRAMES = 6


@dataclass(frozen=True)
class Sound:
    """What became of a recording. ``lanes``: the samples of each."""

    lanes: list[NDArray[np.int16]]
    findings: Findings

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.lanes[0]) / RATE

    def starts(self, lane: int = 0) -> list[float]:
        """Where, in seconds, somebody begins to speak: sound after a pause."""
        heard = self._heard(lane)
        pauses = np.diff(heard, prepend=-_PAUSE_FRAMES - 1) > _PAUSE_FRAMES
        return [float(each) / 10 for each in heard[pauses]]

    @property
    def end(self) -> float:
        """Where the last sound ends, in seconds."""
        return float(self._heard(0)[-1] + 1) / 10

    def _heard(self, lane: int) -> NDArray[np.intp]:
        samples = self.lanes[lane]
        frames = np.abs(samples[: len(samples) // _FRAME * _FRAME].astype(np.int32))
        return np.flatnonzero(frames.reshape(-1, _FRAME).max(axis=1) > _AUDIBLE)

    @property
    def warnings(self) -> list[str]:
        """What kinds of them there are."""
        return [each.kind.value for each in self.findings.warnings]


def listen(path: Path, audio: SourceAudio = AUTO, limits: Limits = DAY) -> Sound:
    """Decode ``path`` under its own name."""
    home = path.parent / f"{path.name}.listen"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    arrival = StreamingDownload(home / "recording", path.stat().st_size, partial(shutil.copy, path))
    findings = Findings()
    media.decode(
        arrival, home / "samples", uri=f"s3://media/{path.name}", limits=limits,
        interruption=Interruption(), audio=audio, findings=findings,
    )  # fmt: skip
    lanes = [
        np.fromfile(lane_path(home / "samples", lane), "<i2") for lane in range(findings.lanes or 1)
    ]
    shutil.rmtree(home)
    return Sound(lanes, findings)


def loudness(samples: NDArray[np.int16]) -> float:
    return float(np.abs(samples / 32_768.0).mean())


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *arguments], check=True)
