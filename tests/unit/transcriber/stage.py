"""A whole run with the store in memory, no ffmpeg and an engine that hashes what it hears."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.transcriber.engines import FakeEngine, heard
from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import ObjectUri
from transcription_contract.options import ModelReference
from transcription_contract.task import Task
from whisper_transcriber import pipeline
from whisper_transcriber.audio.fetch import StreamingDownload
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import FRAME_SAMPLES, SAMPLE_RATE
from whisper_transcriber.coordination import language, listing, patience, scheduler
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.coordination.workspace import Workspace
from whisper_transcriber.engine.protocol import DecodingResult, RecordingResult
from whisper_transcriber.errors import MediaInvalid
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.metrics import Metrics
from whisper_transcriber.settings import Settings, StoreSettings
from whisper_transcriber.watchdog import Watchdog

SLICE_SECONDS = 30
MODEL = b"weights"
TASK = Task(
    uid="u1",
    owner="media/talk",
    source_uri="s3://media/talk.mp3",
    output_uri="s3://out/talk/",
    secret_name="object-store",
    model=ModelReference(uri="s3://models/m.pt", sha256=hashlib.sha256(MODEL).hexdigest()),
    batch_size=1,
)

Objects = dict[ObjectUri, bytes]


def recording(seconds: float, fault: str = "") -> bytes:
    """What the stage's decoder takes for a recording: its length, and why it cannot be decoded."""
    return f"{seconds} {fault}".encode()


def objects(**recordings: bytes) -> Objects:
    """A store with the model and, in the bucket media, recordings by their keys."""
    held = {ObjectUri("media", key): content for key, content in recordings.items()}
    return {**held, ObjectUri("models", "m.pt"): MODEL}


def outputs(held: Objects) -> dict[str, bytes]:
    """What lies in the bucket of the outputs."""
    return {uri.key: content for uri, content in held.items() if uri.bucket == "out"}


class Killed(BaseException):
    """The process is no more."""


class MortalStore(MemoryStore):
    """Shares another's objects, and kills the worker at its n-th write or removal."""

    def __init__(self, objects: Objects, lives: int | None = None) -> None:
        super().__init__()
        self.objects = objects
        self.lives = lives

    def _live(self) -> None:
        if self.lives is not None:
            if self.lives == 0:
                raise Killed
            self.lives -= 1

    def put(self, uri: ObjectUri, content: bytes, content_type: str = "application/json") -> None:
        self._live()
        super().put(uri, content, content_type)

    def remove(self, uri: ObjectUri) -> None:
        self._live()
        super().remove(uri)


class DigestEngine(FakeEngine):
    """An engine whose text is a digest of the window, so that any other window shows."""

    identity = "transcriber"

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """German, by and large."""
        return [{"de": 0.7, "nl": 0.3} for _ in windows]

    def transcribe(
        self, recording: Waveform, language: str | None, at_each_window: Callable[[], None]
    ) -> RecordingResult:
        """A digest of all of it."""
        at_each_window()
        words = " " + hashlib.md5(recording.tobytes()).hexdigest()
        figures = {"seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": -0.2,
                   "compression_ratio": 1.0, "no_speech_prob": 0.0}  # fmt: skip
        end = len(recording) / SAMPLE_RATE
        return RecordingResult(
            language or "cy", ({"start": 0.0, "end": end, "text": words, **figures},)
        )

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """One phrase a window."""
        return [
            heard((0.0, len(each) / SAMPLE_RATE, " " + hashlib.md5(each.tobytes()).hexdigest()))
            for each in windows
        ]


class CountingEngine(DigestEngine):
    """Says on which device it runs, counts the windows that it decodes, and takes its time."""

    def __init__(self, device: str = "cpu", seconds: float = 0.0) -> None:
        super().__init__()
        self.description = device
        self.seconds = seconds
        self.decoded: list[str] = []

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        """One phrase a window."""
        threading.Event().wait(self.seconds)
        self.decoded += [hashlib.md5(each.tobytes()).hexdigest() for each in windows]
        return super().decode(windows, languages, temperature, seed)


class Detector:
    """Somebody speaks for 8 s of every 10."""

    def probabilities(self, read: object, start: int, stop: int) -> NDArray[np.float32]:
        """From positions alone."""
        positions = np.arange(start, stop, FRAME_SAMPLES)
        return (positions % (10 * SAMPLE_RATE) < 8 * SAMPLE_RATE).astype(np.float32)


def decode(arrival: StreamingDownload, target: Path, *, uri: str, **_: object) -> None:
    """Noise of the length that the recording states, or its fault."""
    arrival.wait(arrival.size)
    content = arrival.path.read_bytes()
    seconds, _, fault = content.decode().strip().partition(" ")
    if fault:
        raise MediaInvalid(f"{uri} {fault}")
    rng = np.random.default_rng(len(content))
    rng.integers(-3000, 3000, round(float(seconds) * SAMPLE_RATE), np.int16).tofile(target)


def leave_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ffmpeg, no torch, no voice activity model, and no patience."""
    monkeypatch.setattr("whisper_transcriber.audio.media.decode", decode)
    monkeypatch.setattr("whisper_transcriber.audio.speech.VoiceDetector", Detector)
    monkeypatch.setattr(pipeline, "_import_engine_meanwhile", lambda: None)
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(language, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(patience, "CLAIM_SECONDS", 0.0)
    monkeypatch.setattr(patience, "CLAIM_BATCHES", 0.0)
    monkeypatch.setattr(scheduler, "DELIVERY_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "HELP_SECONDS", 0.0)


def job(directory: Path, store: MemoryStore, task: Task = TASK, worker: int = 0) -> Job:
    """A worker's view of the job, with a folder of its own."""
    (directory / "work").mkdir(exist_ok=True)
    settings = Settings(
        task=task,
        worker=worker,
        store=StoreSettings("http://store", "k", "s", None, None, None, 1.0, "the Secret"),
        work_directory=directory / "work",
        model_directory=directory / "models",
        metrics_port=0,
        threads=2,
        slice_seconds=SLICE_SECONDS,
    )
    return Job(
        settings=settings,
        store=store,
        workspace=Workspace(store, task.output_uri, task.uid),
        metrics=Metrics(),
        interruption=Interruption(),
        watchdog=Watchdog(lambda _: None),
    )


def run(given: Job) -> Manifest | None:
    """Run a worker to its end."""
    return pipeline.run(given, lambda *_: DigestEngine())
