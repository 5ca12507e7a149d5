"""A worker with an engine that sleeps for NAP_SECONDS a batch and hears nothing wrong."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.unit.transcriber.engines import FakeEngine, heard
from whisper_transcriber import __main__ as program
from whisper_transcriber import composition
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.protocol import DecodingResult


class SleepingEngine(FakeEngine):
    """An Engine that says one word over the whole of each window."""

    identity = "asleep"
    only_language = "en"

    def __init__(self, seconds: float, log: Path) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """Sleep, and write down when."""
        start = time.monotonic()
        time.sleep(self._seconds)
        digest = hashlib.sha256(b"".join(window.tobytes() for window in windows)).hexdigest()
        with self._log.open("a") as log:
            log.write(json.dumps([digest, start, time.monotonic()]) + "\n")
        return [heard((0.0, len(window) / 16_000, " word")) for window in windows]


def _engine(*_: object) -> SleepingEngine:
    log = Path(os.environ["NAP_LOGS"]) / str(os.getpid())
    return SleepingEngine(float(os.environ["NAP_SECONDS"]), log)


if __name__ == "__main__":
    composition.load_engine = _engine
    program.entry()
