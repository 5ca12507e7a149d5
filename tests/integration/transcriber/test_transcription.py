"""One recording in, three transcripts out."""

import hashlib
import json
import re
from pathlib import Path

import jiwer
import pytest

from tests.integration.transcriber.speech import Recording
from tests.integration.transcriber.worker import Cluster, Worker
from transcription_contract.task import Task


def words(text: str) -> str:
    return " ".join(re.sub(r"[^a-z ]", " ", text.lower()).split())


@pytest.fixture(scope="module")
def task(cluster: Cluster, talk: str) -> Task:
    return cluster.task(talk, language="auto")


@pytest.fixture(scope="module")
def done(cluster: Cluster, task: Task) -> Worker:
    worker = cluster.run(task)
    assert worker.process.returncode == 0, worker.log
    return worker


@pytest.fixture(scope="module")
def outputs(cluster: Cluster, task: Task, done: Worker) -> dict[str, bytes]:
    return cluster.outputs(task)


def test_the_transcript_is_what_was_spoken(outputs: dict[str, bytes], recording: Recording) -> None:
    heard = words(outputs["talk one.txt"].decode())
    assert jiwer.wer(recording.text, heard) <= 0.06


def test_it_is_no_worse_than_openai_whisper_s_own_transcribe(
    outputs: dict[str, bytes], recording: Recording, checkpoint: Path, tmp_path: Path
) -> None:
    import whisper  # type: ignore[import-untyped]

    audio = str(recording.encode(tmp_path / "talk.wav"))
    theirs = whisper.load_model(str(checkpoint)).transcribe(
        audio, language="en", fp16=False, temperature=0, condition_on_previous_text=False
    )
    ours = jiwer.wer(recording.text, words(outputs["talk one.txt"].decode()))
    assert ours <= jiwer.wer(recording.text, words(theirs["text"])) + 0.02


def test_the_three_formats_say_the_same(outputs: dict[str, bytes]) -> None:
    assert sorted(outputs) == ["talk one.json", "talk one.txt", "talk one.vtt"]
    content = json.loads(outputs["talk one.json"])
    lines = outputs["talk one.txt"].decode().splitlines()
    assert [segment["text"].strip() for segment in content["segments"]] == lines
    vtt = outputs["talk one.vtt"].decode()
    assert vtt.startswith("WEBVTT\n\n")
    assert [block.split("\n")[1] for block in vtt.strip().split("\n\n")[1:]] == lines


def test_times_are_ordered_and_inside_the_recording(
    outputs: dict[str, bytes], recording: Recording
) -> None:
    content = json.loads(outputs["talk one.json"])
    edges = [edge for each in content["segments"] for edge in (each["start"], each["end"])]
    assert edges == sorted(edges)
    assert edges[-1] <= content["duration"]
    assert content["duration"] == pytest.approx(len(recording.samples) / 16_000, abs=0.2)


def test_the_manifest_tells_what_was_made_from_what(
    cluster: Cluster, task: Task, talk: str, outputs: dict[str, bytes]
) -> None:
    manifest = json.loads(cluster.store.get(task.output_uri + "manifest.json"))
    assert (manifest["uid"], manifest["owner"]) == (task.uid, task.owner)
    assert manifest["model"] == {"label": "demo.pt", "sha256": cluster.model.sha256}
    assert manifest["versions"]["engine"].startswith("loop ")
    assert all("openai-whisper" in device for device in manifest["devices"])
    (item,) = manifest["items"]
    assert (item["uri"], item["language"]) == (talk, "en")
    assert len(item["etag"]) >= 32
    for output in item["outputs"]:
        content = outputs[output["uri"].removeprefix(task.output_uri)]
        assert output["bytes"] == len(content)
        assert output["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_last_words_name_the_files(task: Task, done: Worker) -> None:
    assert done.result.language == "en"
    assert 120 <= done.result.audio_seconds <= 126
    assert [file.uri for file in done.result.files] == [
        f"{task.output_uri}talk one.{extension}" for extension in ("json", "vtt", "txt")
    ]


def test_the_workspace_is_removed(cluster: Cluster, task: Task, done: Worker) -> None:
    assert not [name for name in cluster.store.list(task.output_uri) if name.startswith(".")]


def test_the_work_directory_is_left_empty(done: Worker) -> None:
    assert list((done._log.parent / "work").iterdir()) == []


def test_a_worker_that_comes_late_finds_the_job_done(cluster: Cluster, task: Task) -> None:
    late = cluster.run(task, index=1)
    assert late.process.returncode == 0
    assert "shard" not in late.log
    assert late.result.audio_seconds >= 120


def test_another_job_does_not_write_over_the_results(
    cluster: Cluster, task: Task, outputs: dict[str, bytes]
) -> None:
    other = cluster.task(task.source_uri, output_uri=task.output_uri)
    refused = cluster.run(other)
    assert refused.process.returncode == 78
    assert refused.error.reason == "OutputTaken"
    assert task.output_uri in refused.error.message
    assert task.owner in refused.error.message
    assert cluster.outputs(task) == outputs
