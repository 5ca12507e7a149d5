"""The engine without what is around it: a process that decodes windows from memory.

``python -m tests.benchmarks.engine_alone ORDER ANSWER``: files in, seconds of Engine.decode out.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from tests.benchmarks.peers import call
from transcription_contract.decoding import Decoding

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench
    from whisper_transcriber.audio.samples import Waveform
    from whisper_transcriber.engine.protocol import Engine

UNIT = 8


def measure(bench: "Bench", recordings: Sequence[Path]) -> float:
    """Seconds of decoding, in a process of its own; reading and planning do not count."""
    with TemporaryDirectory() as folder:
        order, answer = Path(folder) / "order", Path(folder) / "answer"
        files = [str(path) for path in recordings]
        order.write_text(json.dumps({"model": str(bench.checkpoint), "files": files}))
        call("tests.benchmarks.engine_alone", [str(order), str(answer)], bench.threads)
        return float(answer.read_text())


def load(checkpoint: Path, threads: int) -> "Engine":
    """The engine as a worker loads it, with its default options."""
    from whisper_transcriber.engine.whisper_engine import WhisperEngine

    return WhisperEngine.load(
        checkpoint,
        label=checkpoint.name,
        task="transcribe",
        decoding=Decoding(),
        word_timestamps=False,
        threads=threads,
    )


def main(order: Path, answer: Path) -> None:
    """Plan all windows, then decode them in units, in order."""
    wanted = json.loads(order.read_text())
    seen: dict[bytes, list[Waveform]] = {}
    windows: list[Waveform] = []
    for path in map(Path, wanted["files"]):
        content = path.read_bytes()
        if content not in seen:
            seen[content] = windows_of(samples_of(path))
        windows += seen[content]
    engine = load(Path(wanted["model"]), int(os.environ["OMP_NUM_THREADS"]))
    engine.decode(windows[:UNIT], ["en"] * len(windows[:UNIT]))
    began = time.monotonic()
    for first in range(0, len(windows), UNIT):
        unit = windows[first : first + UNIT]
        engine.decode(unit, ["en"] * len(unit))
    answer.write_text(str(time.monotonic() - began))


def samples_of(path: Path) -> "Waveform":
    """A recording at 16 kHz."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "s16le", "-ar", "16000",
         "-ac", "1", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(32768)


def windows_of(samples: "Waveform") -> list["Waveform"]:
    """The windows that a worker cuts."""
    from whisper_transcriber.audio import stretches
    from whisper_transcriber.audio import windows as windowing
    from whisper_transcriber.audio.vad import VoiceDetector

    within = windowing.Span(0, len(samples))
    heard = VoiceDetector().probabilities(lambda a, b: samples[a:b], *within)
    integers = (samples * 32768).astype(np.int16)
    found = windowing.windows(
        0, stretches.speech(heard.tolist(), within), lambda a, b: integers[a:b]
    )
    return [samples[window.start : window.stop] for window in found]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
