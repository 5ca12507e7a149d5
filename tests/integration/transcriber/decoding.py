"""Decoding a file of the test's as a worker does."""

import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transcription_contract.task import Limits
from whisper_transcriber.audio import media
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.interruption import Interruption

URI = "s3://media/-i; rm.mp3"
LIMITS = Limits(max_file_seconds=60)


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


def loudness(samples: NDArray[np.int16]) -> float:
    return float(np.abs(samples / 32_768.0).mean())


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *arguments], check=True)
