"""The whole run, with the store in memory, no ffmpeg and an engine that hashes what it hears."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.transcriber.engines import heard
from tests.unit.transcriber.stores import MemoryStore
from transcription_contract.locations import S3Uri
from transcription_contract.options import ModelReference
from transcription_contract.task import Limits, Task
from whisper_transcriber import pipeline, shards
from whisper_transcriber.engine.protocol import Decoded
from whisper_transcriber.errors import (
    Interrupted,
    LimitExceeded,
    OutputTaken,
    PlanChanged,
    SourceNotFound,
    SourceReplaced,
)
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.job import Job
from whisper_transcriber.metrics import Metrics
from whisper_transcriber.plan import FRAME_SAMPLES, SAMPLE_RATE
from whisper_transcriber.samples import Waveform
from whisper_transcriber.settings import Settings, StoreSettings
from whisper_transcriber.shards import Items
from whisper_transcriber.watchdog import Watchdog
from whisper_transcriber.workspace import Workspace

SECONDS = 120
SLICE_SECONDS = 30
SOURCE = S3Uri("media", "talk.mp3")
MODEL = b"weights"
TASK = Task(
    uid="u1",
    owner="media/talk",
    source_uri=str(SOURCE),
    output_uri="s3://out/talk/",
    secret_name="object-store",
    model=ModelReference(uri="s3://models/m.pt", sha256=hashlib.sha256(MODEL).hexdigest()),
    batch_size=1,
)
PREFIX = "s3://out/talk/.transcription/u1/"


class Killed(BaseException):
    """The process is no more."""


class MortalStore(MemoryStore):
    """Shares another's objects, and kills the worker at its n-th write or removal."""

    def __init__(self, objects: dict[S3Uri, bytes], lives: int | None = None) -> None:
        super().__init__()
        self.objects = objects
        self.lives = lives

    def _live(self) -> None:
        if self.lives is not None:
            if self.lives == 0:
                raise Killed
            self.lives -= 1

    def put(self, uri: S3Uri, content: bytes, content_type: str = "application/json") -> None:
        self._live()
        super().put(uri, content, content_type)

    def remove(self, uri: S3Uri) -> None:
        self._live()
        super().remove(uri)


class Listener:
    """An engine whose text is a digest of the window, so that any other window shows."""

    description = "listener"
    only_language: str | None = None

    def check_language(self, language: str) -> None:
        """Knows every language."""

    def language_probabilities(self, windows: Sequence[Waveform]) -> list[Mapping[str, float]]:
        """German, by and large."""
        return [{"de": 0.7, "nl": 0.3} for _ in windows]

    def decode(
        self, windows: Sequence[Waveform], language: str, temperature: float = 0.0, seed: int = 0
    ) -> list[Decoded]:
        """One phrase a window."""
        return [
            heard((0.0, len(each) / SAMPLE_RATE, " " + hashlib.md5(each.tobytes()).hexdigest()))
            for each in windows
        ]


class Detector:
    """Somebody speaks for 8 s of every 10."""

    def probabilities(self, read: object, start: int, stop: int) -> NDArray[np.float32]:
        """From positions alone."""
        positions = np.arange(start, stop, FRAME_SAMPLES)
        return (positions % (10 * SAMPLE_RATE) < 8 * SAMPLE_RATE).astype(np.float32)


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(source: Path, target: Path, **_: object) -> None:
        rng = np.random.default_rng(len(source.read_bytes()))
        rng.integers(-3000, 3000, SECONDS * SAMPLE_RATE, np.int16).tofile(target)

    monkeypatch.setattr("whisper_transcriber.media.decode", decode)
    monkeypatch.setattr("whisper_transcriber.planner.VoiceDetector", Detector)
    monkeypatch.setattr(pipeline, "_import_engine_meanwhile", lambda: None)
    monkeypatch.setattr(pipeline, "LISTING_PATIENCE_SECONDS", 0)


@pytest.fixture
def objects() -> dict[S3Uri, bytes]:
    return {SOURCE: b"sounds", S3Uri("models", "m.pt"): MODEL}


def job(directory: Path, store: MemoryStore, task: Task = TASK, worker: int = 0) -> Job:
    (directory / "work").mkdir(exist_ok=True)
    settings = Settings(
        task=task,
        worker=worker,
        store=StoreSettings("http://store", "k", "s", None, None, None, 1.0, "object-store"),
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


def run(given: Job) -> None:
    pipeline.run(given, lambda *_: Listener())


def outputs(objects: dict[S3Uri, bytes]) -> dict[str, bytes]:
    return {uri.key: content for uri, content in objects.items() if uri.bucket == "out"}


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, bytes]:
    objects = {SOURCE: b"sounds", S3Uri("models", "m.pt"): MODEL}
    run(job(tmp_path, MortalStore(objects)))
    return outputs(objects)


def test_outputs_and_manifest_are_delivered_and_nothing_else_stays(
    undisturbed: dict[str, bytes],
) -> None:
    assert sorted(undisturbed) == [
        "talk/manifest.json",
        "talk/talk.json",
        "talk/talk.txt",
        "talk/talk.vtt",
    ]
    content = json.loads(undisturbed["talk/talk.json"])
    assert content["language"] == "de"
    assert content["duration"] == SECONDS
    assert len(content["segments"]) == SECONDS // 10


def test_the_manifest_is_written_last(tmp_path: Path, objects: dict[S3Uri, bytes]) -> None:
    store = MortalStore(objects)
    run(job(tmp_path, store))
    assert store.written[-1] == "s3://out/talk/manifest.json"


@pytest.mark.parametrize("lives", range(48))
def test_killed_at_any_write_the_next_worker_ends_with_the_same_bytes(
    tmp_path: Path, objects: dict[S3Uri, bytes], undisturbed: dict[str, bytes], lives: int
) -> None:
    with suppress(Killed):
        run(job(tmp_path, MortalStore(objects, lives)))
    stored = {str(uri) for uri in objects if "/parts/" in uri.key}
    delivered = "talk/manifest.json" in outputs(objects)

    next_one = MortalStore(objects)
    run(job(tmp_path, next_one))

    assert outputs(objects) == undisturbed
    assert stored.isdisjoint(next_one.written)
    assert not (delivered and next_one.written)


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_workers_that_die_one_after_the_other_get_it_done_together(
    tmp_path: Path, objects: dict[S3Uri, bytes], undisturbed: dict[str, bytes], workers: int
) -> None:
    task = TASK.model_copy(update={"workers": workers})
    for attempt in range(20):
        try:
            run(job(tmp_path, MortalStore(objects, lives=4), task, worker=attempt % workers))
            break
        except Killed:
            continue
    run(job(tmp_path, MortalStore(objects), task))
    assert outputs(objects) == undisturbed


def test_a_worker_stops_when_another_has_delivered(
    tmp_path: Path, objects: dict[S3Uri, bytes], undisturbed: dict[str, bytes]
) -> None:
    task = TASK.model_copy(update={"workers": 2})

    class Overtaken(MortalStore):
        def put(self, uri: S3Uri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key and len(self.written) < 10:
                run(job(tmp_path, MortalStore(objects), task, worker=1))

    overtaken = Overtaken(objects)
    run(job(tmp_path, overtaken, task))
    assert outputs(objects) == undisturbed
    assert sum("/parts/" in uri for uri in overtaken.written) == 1


def test_resumed_units_and_seconds_are_counted(tmp_path: Path, objects: dict[S3Uri, bytes]) -> None:
    with pytest.raises(Killed):
        run(job(tmp_path, MortalStore(objects, lives=8)))
    parts = sum("/parts/" in uri.key for uri in objects)
    assert parts >= 2

    resumed = job(tmp_path, MortalStore(objects))
    run(resumed)

    def value(name: str) -> float | None:
        return resumed.metrics.registry.get_sample_value(f"transcription_worker_{name}")

    assert value("units_resumed_total") == parts
    assert value("total_seconds") == SECONDS
    assert value("processed_seconds") == pytest.approx(SECONDS)


def test_a_request_to_stop_is_obeyed_between_two_units(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    given = job(tmp_path, MortalStore(objects))

    class Stopping(Listener):
        def decode(
            self,
            windows: Sequence[Waveform],
            language: str,
            temperature: float = 0.0,
            seed: int = 0,
        ) -> list[Decoded]:
            given.interruption.request()
            return super().decode(windows, language, temperature, seed)

    with pytest.raises(Interrupted):
        pipeline.run(given, lambda *_: Stopping())
    assert sum("/parts/" in uri.key for uri in objects) == 1


def test_a_missing_source_is_named(tmp_path: Path, objects: dict[S3Uri, bytes]) -> None:
    del objects[SOURCE]
    with pytest.raises(SourceNotFound, match=r"s3://media/talk.mp3 does not exist"):
        run(job(tmp_path, MortalStore(objects)))


def test_a_source_that_vanishes_while_the_job_runs_is_noticed(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    with pytest.raises(Killed):
        run(job(tmp_path, MortalStore(objects, lives=3)))
    del objects[SOURCE]
    with pytest.raises(SourceReplaced, match="was removed while the job was running"):
        run(job(tmp_path, MortalStore(objects)))


def test_too_large_a_source_is_refused(tmp_path: Path, objects: dict[S3Uri, bytes]) -> None:
    task = TASK.model_copy(update={"limits": Limits(max_file_bytes=5)})
    with pytest.raises(LimitExceeded, match="has 6 bytes, more than the 5"):
        run(job(tmp_path, MortalStore(objects), task))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'{"uid": "u0", "owner": "media/other"}', "the TranscriptionJob media/other"),
        (b"<html>", "something else"),
        (b"[]", "something else"),
    ],
    ids=["another job's", "no JSON", "other JSON"],
)
def test_a_foreign_manifest_is_respected(
    tmp_path: Path, objects: dict[S3Uri, bytes], content: bytes, named: str
) -> None:
    objects[S3Uri("out", "talk/manifest.json")] = content
    with pytest.raises(OutputTaken, match=named):
        run(job(tmp_path, MortalStore(objects)))
    assert outputs(objects) == {"talk/manifest.json": content}


def test_a_foreign_manifest_is_replaced_where_the_job_says_so(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    manifest = S3Uri("out", "talk/manifest.json")
    objects[manifest] = b'{"uid": "u0", "owner": "media/other"}'
    run(job(tmp_path, MortalStore(objects), TASK.model_copy(update={"overwrite": True})))
    assert json.loads(objects[manifest])["uid"] == TASK.uid


def test_another_job_that_delivers_meanwhile_is_not_written_over(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    foreign = b'{"uid": "u0", "owner": "media/other"}'

    class Late(MortalStore):
        def put(self, uri: S3Uri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key:
                objects[S3Uri("out", "talk/manifest.json")] = foreign

    with pytest.raises(OutputTaken):
        run(job(tmp_path, Late(objects)))
    assert not any(uri.key.startswith("talk/talk.") for uri in objects)


def test_a_plan_that_another_worker_overwrote_is_not_mixed_in(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    class Overwritten(MortalStore):
        def put(self, uri: S3Uri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key:
                where = S3Uri.parse(PREFIX).child(shards.ITEMS)
                items = Items.model_validate_json(objects[where])
                other = items.model_copy(update={"threads": 7})
                objects[where] = other.model_dump_json(by_alias=True).encode()

    with pytest.raises(PlanChanged):
        run(job(tmp_path, Overwritten(objects)))
    assert not any(uri.key.endswith(".txt") for uri in objects)

    run(job(tmp_path, MortalStore(objects)))
    assert "talk/manifest.json" in outputs(objects)


def test_the_workspace_staying_behind_fails_nothing(
    tmp_path: Path, objects: dict[S3Uri, bytes]
) -> None:
    from whisper_transcriber.errors import AccessDenied

    class NoRemoval(MortalStore):
        def remove(self, uri: S3Uri) -> None:
            raise AccessDenied("may not delete")

    run(job(tmp_path, NoRemoval(objects)))
    assert "talk/manifest.json" in outputs(objects)


def test_a_recording_in_which_nobody_speaks_is_delivered_empty(
    tmp_path: Path, objects: dict[S3Uri, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Detector, "probabilities", lambda *_: np.zeros(SECONDS * SAMPLE_RATE // FRAME_SAMPLES)
    )
    given = job(tmp_path, MortalStore(objects))
    run(given)
    assert outputs(objects)["talk/talk.txt"] == b""
    processed = given.metrics.registry.get_sample_value("transcription_worker_processed_seconds")
    assert processed == pytest.approx(SECONDS)
