"""A second job at the same output: what it leaves alone, does again, or does not overwrite."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.transcriber import stage
from tests.unit.transcriber.stage import (
    TASK,
    CountingEngine,
    Killed,
    MortalStore,
    Objects,
    job,
    outputs,
    recording,
)
from transcription_contract.decoding import Decoding
from transcription_contract.locations import ObjectUri
from transcription_contract.options import ExistingOutput
from transcription_contract.task import Task
from whisper_transcriber import pipeline
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.coordination.results import DELIVERED
from whisper_transcriber.engine.protocol import DecodingResult
from whisper_transcriber.errors import OutputTaken
from whisper_transcriber.storage.store import StoredObject

MANY = TASK.model_copy(
    update={
        "source_uri": "s3://media/talks/",
        "output_uri": "s3://out/x/",
        "language": "de",
        "existing": ExistingOutput.SKIP,
    }
)
AGAIN = MANY.model_copy(update={"uid": "u2"})
SECONDS = {"a": 11, "b": 12, "c": 13}


@pytest.fixture(autouse=True)
def without_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.leave_the_world(monkeypatch)


@pytest.fixture
def held(tmp_path: Path) -> Objects:
    """Where a first job has transcribed a and b."""
    made = stage.objects(**{f"talks/{name}.wav": recording(SECONDS[name]) for name in "ab"})
    transcribe(tmp_path, made, MANY)
    return made


def transcribe(
    tmp_path: Path, held: Objects, task: Task, *, lives: int | None = None, cli: bool = False
) -> CountingEngine:
    engine = CountingEngine()
    given = replace(job(tmp_path, MortalStore(held, lives), task), renames_results=cli)
    pipeline.run(given, lambda *_: engine)
    return engine


def manifest(held: Objects, key: str = "x/manifest.json") -> Manifest:
    return Manifest.model_validate_json(held[ObjectUri("out", key)])


def test_the_same_job_on_a_growing_prefix_does_only_what_is_new(
    tmp_path: Path, held: Objects
) -> None:
    before = outputs(held)
    held[ObjectUri("media", "talks/0.wav")] = recording(SECONDS["c"])
    engine = transcribe(tmp_path, held, AGAIN)

    assert len(engine.decoded) == 2, "13 s are two windows of one recording"
    after = manifest(held)
    assert after.uid == "u2"
    assert [(each.uri[-5:], each.skipped) for each in after.items] == [
        ("0.wav", None), ("a.wav", DELIVERED), ("b.wav", DELIVERED),
    ]  # fmt: skip
    assert all(each.outputs for each in after.items)
    assert (after.result().items, after.result().items_skipped) == (3, 2)
    assert after.result().audio_seconds == SECONDS["c"]
    kept = {key: content for key, content in before.items() if key != "x/manifest.json"}
    assert kept.items() <= outputs(held).items()


def test_a_job_with_nothing_new_loads_no_model(tmp_path: Path, held: Objects) -> None:
    def load(*_: object) -> CountingEngine:
        raise AssertionError("a model was loaded")

    done = pipeline.run(job(tmp_path, MortalStore(held), AGAIN), load)
    assert done
    assert done.result().items_skipped == 2
    assert manifest(held) == done
    assert not any("/.transcription/" in uri.key for uri in held)


@pytest.mark.parametrize(
    "change",
    [
        {"decoding": Decoding(initial_prompt="Kubernetes")},
        {"language": "en"},
        {"existing": ExistingOutput.OVERWRITE},
    ],
    ids=["another prompt", "another language", "overwrite"],
)
def test_with_other_options_everything_is_done_again(
    tmp_path: Path, held: Objects, change: dict[str, object]
) -> None:
    engine = transcribe(tmp_path, held, AGAIN.model_copy(update=change))
    assert len(engine.decoded) == 2
    assert [each.skipped for each in manifest(held).items] == [None, None]


def test_a_recording_that_changed_is_done_again(tmp_path: Path, held: Objects) -> None:
    held[ObjectUri("media", "talks/a.wav")] = recording(15)
    engine = transcribe(tmp_path, held, AGAIN)
    assert len(engine.decoded) == 2
    assert [each.skipped for each in manifest(held).items] == [None, DELIVERED]


def test_a_transcript_that_was_deleted_is_made_again(tmp_path: Path, held: Objects) -> None:
    del held[ObjectUri("out", "x/a.wav.vtt")]
    transcribe(tmp_path, held, AGAIN)
    assert [each.skipped for each in manifest(held).items] == [None, DELIVERED]
    assert "x/a.wav.vtt" in outputs(held)


def test_a_recording_that_failed_is_tried_again(tmp_path: Path, held: Objects) -> None:
    held[ObjectUri("media", "talks/c.wav")] = recording(1, "is broken")
    transcribe(tmp_path, held, AGAIN)
    assert len(manifest(held).failures) == 1
    held[ObjectUri("media", "talks/c.wav")] = recording(13)
    transcribe(tmp_path, held, MANY.model_copy(update={"uid": "u3"}))
    assert [each.skipped for each in manifest(held).items] == [DELIVERED, DELIVERED, None]


@pytest.mark.parametrize("lives", range(12))
def test_a_second_job_that_is_killed_is_resumed(tmp_path: Path, held: Objects, lives: int) -> None:
    held[ObjectUri("media", "talks/c.wav")] = recording(SECONDS["c"])
    try:
        transcribe(tmp_path, held, AGAIN, lives=lives)
    except Killed:
        transcribe(tmp_path, held, AGAIN)
    assert [each.skipped for each in manifest(held).items] == [DELIVERED, DELIVERED, None]
    assert "x/c.wav.txt" in outputs(held)


def test_transcripts_of_another_source_stay_in_the_manifest_s_memory(
    tmp_path: Path, held: Objects
) -> None:
    held[ObjectUri("media", "more/d.wav")] = recording(14)
    other = MANY.model_copy(update={"uid": "u2", "source_uri": "s3://media/more/"})
    transcribe(tmp_path, held, other)
    assert [each.uri for each in manifest(held).kept] == [
        "s3://media/talks/a.wav", "s3://media/talks/b.wav",
    ]  # fmt: skip
    engine = transcribe(tmp_path, held, MANY.model_copy(update={"uid": "u3"}))
    assert engine.decoded == []
    assert [each.skipped for each in manifest(held).items] == [DELIVERED, DELIVERED]


def single(name: str, uid: str) -> Task:
    return MANY.model_copy(update={"uid": uid, "source_uri": f"s3://media/talks/{name}"})


def test_on_the_command_line_two_recordings_of_one_name_get_two_results(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    transcribe(tmp_path, held, single("talk.wav", "u1"), cli=True)
    first = outputs(held)["x/talk.txt"]
    transcribe(tmp_path, held, single("talk.m4a", "u2"), cli=True)
    assert outputs(held)["x/talk.txt"] == first
    assert outputs(held)["x/talk.m4a.txt"] != first
    for name, uid in (("talk.wav", "u3"), ("talk.m4a", "u4")):
        assert transcribe(tmp_path, held, single(name, uid), cli=True).decoded == []
    assert len(outputs(held)) == 7, "three formats of two, and the manifest"


class InterruptedEngine(CountingEngine):
    """Does something else first, as if it happened in the meantime."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def decode(
        self,
        windows: Sequence[Waveform],
        languages: Sequence[str],
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[DecodingResult]:
        if not self.decoded:
            self.meanwhile()
        return super().decode(windows, languages, temperature, seed)


def run_during(tmp_path: Path, held: Objects, slow: Task, fast: Task, *, cli: bool) -> None:
    engine = InterruptedEngine(lambda: transcribe(tmp_path, held, fast, cli=cli))
    given = replace(job(tmp_path, MortalStore(held), slow), renames_results=cli)
    pipeline.run(given, lambda *_: engine)


def test_of_two_runs_at_once_the_later_one_keeps_the_other_s_text_and_entry(
    tmp_path: Path,
) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    run_during(tmp_path, held, single("talk.m4a", "u1"), single("talk.wav", "u2"), cli=True)
    both = outputs(held)
    assert both["x/talk.txt"] != both["x/talk.m4a.txt"]
    assert [each.uri for each in manifest(held).kept] == ["s3://media/talks/talk.wav"]
    for name, uid in (("talk.wav", "u3"), ("talk.m4a", "u4")):
        assert transcribe(tmp_path, held, single(name, uid), cli=True).decoded == []


def test_a_run_that_was_cut_keeps_what_another_one_has_delivered_since(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    with pytest.raises(Killed):
        transcribe(tmp_path, held, single("talk.m4a", "u1"), lives=3, cli=True)
    transcribe(tmp_path, held, single("talk.wav", "u2"), cli=True)
    first = outputs(held)["x/talk.txt"]
    transcribe(tmp_path, held, single("talk.m4a", "u1"), cli=True)
    assert outputs(held)["x/talk.txt"] == first
    assert "x/talk.m4a.txt" in outputs(held)
    assert [each.uri for each in manifest(held).kept] == ["s3://media/talks/talk.wav"]


def test_of_two_jobs_at_once_the_later_one_does_not_overwrite_the_other_s_text(
    tmp_path: Path,
) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    with pytest.raises(OutputTaken, match="another recording"):
        run_during(tmp_path, held, single("talk.m4a", "u1"), single("talk.wav", "u2"), cli=False)
    assert [each.uri for each in manifest(held).items] == ["s3://media/talks/talk.wav"]


def test_an_overwritten_transcript_is_not_kept_in_the_manifest(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    transcribe(tmp_path, held, single("talk.wav", "u1"))
    overwriting = {"existing": ExistingOutput.OVERWRITE}
    transcribe(tmp_path, held, single("talk.m4a", "u2").model_copy(update=overwriting))
    assert manifest(held).kept == ()


def test_what_is_delivered_while_the_source_is_listed_is_not_overwritten(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/a.wav": recording(11)})
    failing = {"existing": ExistingOutput.FAIL}

    class SlowStore(MortalStore):
        def list(self, prefix: ObjectUri, after: str | None = None) -> list[StoredObject]:
            if prefix.bucket == "media":
                transcribe(tmp_path, held, MANY)
            return super().list(prefix, after)

    given = job(tmp_path, SlowStore(held), AGAIN.model_copy(update=failing))
    with pytest.raises(OutputTaken):
        pipeline.run(given, lambda *_: CountingEngine())
    assert manifest(held).uid == "u1"


def test_a_text_of_nobody_knows_whom_is_not_overwritten_by_the_command_line(
    tmp_path: Path,
) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11)})
    held[ObjectUri("out", "x/talk.txt")] = b"my notes"
    transcribe(tmp_path, held, single("talk.wav", "u1"), cli=True)
    assert outputs(held)["x/talk.txt"] == b"my notes"
    assert "x/talk.wav.txt" in outputs(held)


def test_in_a_cluster_the_second_one_is_refused(tmp_path: Path) -> None:
    held = stage.objects(**{"talks/talk.wav": recording(11), "talks/talk.m4a": recording(12)})
    transcribe(tmp_path, held, single("talk.wav", "u1"))
    with pytest.raises(OutputTaken, match=r"already contains a transcript of another recording"):
        transcribe(tmp_path, held, single("talk.m4a", "u2"))


@pytest.mark.parametrize("content", [b"<html>", b'{"name": "my web app"}'], ids=["html", "json"])
def test_a_manifest_that_is_not_a_job_s_is_never_replaced_by_a_job_that_skips(
    tmp_path: Path, held: Objects, content: bytes
) -> None:
    held[ObjectUri("out", "x/manifest.json")] = content
    with pytest.raises(OutputTaken, match="overwrite"):
        transcribe(tmp_path, held, AGAIN)
