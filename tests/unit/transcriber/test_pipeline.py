"""The whole run of a single recording, with the store in memory."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import (
    TASK,
    Detector,
    DigestEngine,
    Killed,
    MortalStore,
    Objects,
    job,
    outputs,
    run,
)
from transcription_contract.decoding import SuspectText
from transcription_contract.locations import ObjectUri
from transcription_contract.task import Limits
from whisper_transcriber import pipeline
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.windows import FRAME_SAMPLES, SAMPLE_RATE
from whisper_transcriber.engine.protocol import DecodingResult
from whisper_transcriber.errors import (
    Interrupted,
    LimitExceeded,
    PromptTooLong,
    SourceNotFound,
    SourceReplaced,
)

SECONDS = 120
SOURCE = ObjectUri("media", "talk.mp3")
PREFIX = "s3://out/talk/.transcription/u1/"


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


@pytest.fixture
def objects() -> Objects:
    return stage.objects(**{"talk.mp3": stage.recording(SECONDS)})


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, bytes]:
    objects = stage.objects(**{"talk.mp3": stage.recording(SECONDS)})
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
    assert len(content["segments"]) >= SECONDS // 15


def test_the_manifest_is_written_last(tmp_path: Path, objects: Objects) -> None:
    store = MortalStore(objects)
    run(job(tmp_path, store))
    assert store.written[-1] == "s3://out/talk/manifest.json"


@pytest.mark.parametrize("lives", range(48))
def test_killed_at_any_write_the_next_worker_ends_with_the_same_text(
    tmp_path: Path, objects: Objects, undisturbed: dict[str, bytes], lives: int
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
    tmp_path: Path, objects: Objects, undisturbed: dict[str, bytes], workers: int
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
    tmp_path: Path, objects: Objects, undisturbed: dict[str, bytes]
) -> None:
    task = TASK.model_copy(update={"workers": 2})

    class Overtaken(MortalStore):
        def put(self, uri: ObjectUri, content: bytes, content_type: str = "") -> None:
            super().put(uri, content, content_type)
            if "/parts/" in uri.key and len(self.written) < 10:
                run(job(tmp_path, MortalStore(objects), task, worker=1))

    overtaken = Overtaken(objects)
    run(job(tmp_path, overtaken, task))
    assert outputs(objects) == undisturbed
    assert sum("/parts/" in uri for uri in overtaken.written) == 1


def test_resumed_units_and_seconds_are_counted(tmp_path: Path, objects: Objects) -> None:
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


@pytest.mark.parametrize("suspect", ["keep", "drop"])
def test_suspect_segments_and_dropped_seconds_are_counted(
    tmp_path: Path, objects: Objects, suspect: str
) -> None:
    class Doubtful(DigestEngine):
        def decode(
            self,
            windows: Sequence[Waveform],
            languages: Sequence[str],
            temperature: float = 0.0,
            seed: int = 0,
        ) -> list[DecodingResult]:
            decoded = super().decode(windows, languages, temperature, seed)
            return [replace(each, avg_logprob=-2.0) for each in decoded]

    decoding = TASK.decoding.model_copy(update={"suspect_text": SuspectText(suspect)})
    given = job(tmp_path, MortalStore(objects), TASK.model_copy(update={"decoding": decoding}))
    pipeline.run(given, lambda *_: Doubtful())
    transcript = json.loads(outputs(objects)["talk/talk.json"])
    counted = {
        name: given.metrics.registry.get_sample_value(f"transcription_worker_{name}_total")
        for name in ("suspect_segments", "dropped_seconds")
    }
    if suspect == "keep":
        assert counted == {"suspect_segments": len(transcript["segments"]), "dropped_seconds": 0.0}
        assert transcript["segments"]
    else:
        assert transcript["segments"] == []
        assert counted["suspect_segments"] == 0
        assert 0.8 * SECONDS < counted["dropped_seconds"] <= SECONDS


def test_hotwords_that_do_not_fit_are_refused_before_the_model_is_fetched(
    tmp_path: Path, objects: Objects
) -> None:
    words = tuple(f"word{number}" for number in range(150))
    decoding = TASK.decoding.model_copy(update={"hotwords": words})
    given = job(tmp_path, MortalStore(objects), TASK.model_copy(update={"decoding": decoding}))
    with pytest.raises(PromptTooLong, match=r"decoding\.hotwords"):
        pipeline.run(given, lambda *_: pytest.fail("the model was loaded"))


def test_a_request_to_stop_is_obeyed_between_two_units(tmp_path: Path, objects: Objects) -> None:
    given = job(tmp_path, MortalStore(objects))

    class Stopping(DigestEngine):
        def decode(
            self,
            windows: Sequence[Waveform],
            languages: Sequence[str],
            temperature: float = 0.0,
            seed: int = 0,
        ) -> list[DecodingResult]:
            given.interruption.request()
            return super().decode(windows, languages, temperature, seed)

    with pytest.raises(Interrupted):
        pipeline.run(given, lambda *_: Stopping())
    assert sum("/parts/" in uri.key for uri in objects) == 1


def test_a_missing_source_is_named(tmp_path: Path, objects: Objects) -> None:
    del objects[SOURCE]
    with pytest.raises(SourceNotFound, match=r"s3://media/talk.mp3 does not exist"):
        run(job(tmp_path, MortalStore(objects)))


def test_a_source_that_vanishes_while_the_job_runs_is_noticed(
    tmp_path: Path, objects: Objects
) -> None:
    with pytest.raises(Killed):
        run(job(tmp_path, MortalStore(objects, lives=3)))
    del objects[SOURCE]
    with pytest.raises(SourceReplaced, match="was removed while the job was running"):
        run(job(tmp_path, MortalStore(objects)))


def test_too_large_a_source_is_refused(tmp_path: Path, objects: Objects) -> None:
    task = TASK.model_copy(update={"limits": Limits(max_file_bytes=3)})
    with pytest.raises(LimitExceeded, match="has 4 bytes, more than the 3"):
        run(job(tmp_path, MortalStore(objects), task))


def test_the_workspace_staying_behind_fails_nothing(tmp_path: Path, objects: Objects) -> None:
    from whisper_transcriber.errors import AccessDenied

    class NoRemoval(MortalStore):
        def remove(self, uri: ObjectUri) -> None:
            raise AccessDenied("may not delete")

    run(job(tmp_path, NoRemoval(objects)))
    assert "talk/manifest.json" in outputs(objects)


def test_a_recording_in_which_nobody_speaks_is_delivered_empty(
    tmp_path: Path, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Detector, "probabilities", lambda *_: np.zeros(SECONDS * SAMPLE_RATE // FRAME_SAMPLES)
    )
    given = job(tmp_path, MortalStore(objects))
    run(given)
    assert outputs(objects)["talk/talk.txt"] == b""
    processed = given.metrics.registry.get_sample_value("transcription_worker_processed_seconds")
    assert processed == pytest.approx(SECONDS)
