"""A worker with an engine that sleeps for NAP_SECONDS a batch and hears nothing wrong."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from whisper_transcriber import __main__ as program
from whisper_transcriber import worker
from whisper_transcriber.engine.protocol import Decoded, Passage, Phrase
from whisper_transcriber.samples import Waveform


class SleepingEngine:
    """An Engine that says one word over the whole of each window."""

    description = "asleep"
    only_language = "en"

    def __init__(self, seconds: float, log: Path) -> None:
        self._seconds = seconds
        self._log = log

    def check_language(self, language: str) -> None:
        """Any will do."""

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """English."""
        return [{"en": 1.0} for _ in windows]

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Decoded]:
        """Sleep, and write down when."""
        start = time.monotonic()
        time.sleep(self._seconds)
        digest = hashlib.sha256(b"".join(window.tobytes() for window in windows)).hexdigest()
        with self._log.open("a") as log:
            log.write(json.dumps([digest, start, time.monotonic()]) + "\n")
        return [_decoded(len(window) / 16_000) for window in windows]

    def transcribe(
        self, recording: Waveform, language: str | None, at_each_window: Callable[[], None]
    ) -> Passage:
        """Not asked for here."""
        raise NotImplementedError


def _decoded(seconds: float) -> Decoded:
    return Decoded(
        phrases=(Phrase(0.0, seconds, " word", (1,)),),
        exhausted=False,
        temperature=0.0,
        avg_logprob=0.0,
        compression_ratio=1.0,
        no_speech_prob=0.0,
    )


def _engine(*_: object) -> SleepingEngine:
    log = Path(os.environ["NAP_LOGS"]) / str(os.getpid())
    return SleepingEngine(float(os.environ["NAP_SECONDS"]), log)


if __name__ == "__main__":
    worker.load_engine = _engine
    program.entry()
