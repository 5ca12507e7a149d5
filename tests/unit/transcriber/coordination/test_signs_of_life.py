"""Slow work that makes progress is no standstill: the watchdog hears of every step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import TASK, DigestEngine, MortalStore, job, recording
from whisper_transcriber import pipeline
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.protocol import DecodingResult
from whisper_transcriber.watchdog import Watchdog


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


class NotingEngine(DigestEngine):
    """Notes its calls, and finds all its text improbable."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        self.events.append("vote")
        return super().language_probabilities(windows)

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        self.events.append("attempt")
        found = super().decode(windows, languages, temperature, seed)
        return [replace(each, avg_logprob=-2.0, temperature=temperature) for each in found]


@pytest.mark.parametrize("step", ["vote", "attempt"])
def test_each_vote_and_each_attempt_is_a_sign_of_life(tmp_path: Path, step: str) -> None:
    events: list[str] = []

    class NotingWatchdog(Watchdog):
        def sign_of_life(self) -> None:
            events.append("sign")

    held = stage.objects(**{f"talks/{n}.wav": recording(20) for n in range(3)})
    task = TASK.model_copy(update={"source_uri": "s3://media/talks/"})
    given = replace(job(tmp_path, MortalStore(held), task), watchdog=NotingWatchdog(lambda _: None))
    pipeline.run(given, lambda *_: NotingEngine(events))
    assert events.count(step) > 2
    assert (step, step) not in pairwise(events)
