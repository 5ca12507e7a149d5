"""Whole jobs on object stores that differ from what S3 promises."""

from pathlib import Path

import pytest

from tests.integration.transcriber.speech import Recording
from tests.integration.transcriber.stub_s3 import Stub, serving
from tests.integration.transcriber.worker import Cluster, Worker
from transcription_contract.locations import ObjectUri
from whisper_transcriber.coordination.manifest import Manifest

NAMES = ["a +b%20 c.mp3", "x/../b.mp3", "plain.mp3"]


def run(cluster: Cluster, checkpoint: Path, stub: Stub) -> tuple[Worker, Manifest | None]:
    assert cluster.model.uri is not None
    model = ObjectUri.parse(cluster.model.uri)
    stub.objects[model.bucket, model.key] = checkpoint.read_bytes()
    task = cluster.task("s3://media/")
    worker = cluster.run(task, environment={"AWS_ENDPOINT_URL": stub.url})
    content = stub.objects.get(("out", f"{task.uid}/manifest.json"))
    return worker, Manifest.model_validate_json(content) if content else None


@pytest.mark.parametrize("quirk", ["gcs", "v1only", "no batches", "unconditional", "lock"])
def test_every_recording_is_transcribed_whatever_it_is_called(
    quirk: str, cluster: Cluster, checkpoint: Path, recording: Recording, tmp_path: Path
) -> None:
    sound = recording.encode(tmp_path / "talk.mp3", "-b:a", "32k", "-t", "8").read_bytes()
    with serving(quirk, page=2) as stub:
        stub.objects |= {("media", name): sound for name in NAMES}
        worker, manifest = run(cluster, checkpoint, stub)
        assert worker.process.returncode == 0, worker.log
        assert manifest is not None
        assert manifest.failures == []
        assert len(manifest.items) == 3
        left = [key for bucket, key in stub.objects if ".transcription/" in key]
        assert left == []


def test_one_archived_recording_does_not_stop_the_others(
    cluster: Cluster, checkpoint: Path, recording: Recording, tmp_path: Path
) -> None:
    sound = recording.encode(tmp_path / "talk.mp3", "-b:a", "32k", "-t", "8").read_bytes()
    with serving("glacier") as stub:
        stub.objects |= {("media", name): sound for name in NAMES}
        stub.denied = {"plain.mp3"}
        worker, manifest = run(cluster, checkpoint, stub)
        assert worker.process.returncode == 0, worker.log
        assert manifest is not None
        (failure,) = manifest.failures
        assert (failure.item, failure.reason) == ("s3://media/plain.mp3", "SourceArchived")
        assert "restore it" in failure.message


@pytest.mark.parametrize(
    ("quirk", "code", "reason", "words"),
    [
        ("skew", 69, "ObjectStoreUnavailable", "the clock of the node"),
        ("denied", 77, "SourceDenied", "none of the 3 recordings could be transcribed"),
        ("glacier", 65, "AllItemsFailed", "archived"),
        ("endless", 78, "ConfigurationInvalid", "repeats itself"),
    ],
)
def test_a_job_that_cannot_read_anything_says_why(
    quirk: str, code: int, reason: str, words: str, cluster: Cluster, checkpoint: Path
) -> None:
    with serving(quirk, page=2) as stub:
        stub.objects |= {("media", name): b"sound" for name in NAMES}
        stub.denied = set(NAMES)
        worker, _ = run(cluster, checkpoint, stub)
        assert worker.process.returncode == code, worker.log
        assert worker.error.reason == reason
        assert words in worker.error.message
        assert "check the keys" not in worker.error.message
