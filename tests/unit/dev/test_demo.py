import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev import demo, librivox, material, realmodels
from dev.demo import progress_line
from dev.errors import DevError
from dev.material import Material
from tests.documents import blocks_in

UID = "1f0c9a3e-0000-4000-8000-000000000001"


@dataclass
class Media:
    """kubectl and the store: the demo's job, perhaps, and other people's pods and transcripts."""

    job: bool
    phase: str = "Succeeded"
    transcripts: set[str] = field(default_factory=set)
    typed: list[str] = field(default_factory=list)

    def __call__(self, *words: str | Path, **_: Any) -> str:
        said = shlex.join(map(str, words))
        self.typed.append(said)
        if said.startswith("get transcriptionjob "):
            return (UID if "uid" in said else f"transcriptionjob/{demo.JOB}") if self.job else ""
        if said.startswith("get pods "):
            return "pod/reading-0-abcde\n" + ("" if UID in said else "pod/calls-0-fghij\n")
        return ""

    def json(self, *_: str) -> Any:
        return {"status": {"phase": self.phase}}

    def apply(self, *_: Any) -> None:
        pass

    def make_bucket(self, _: str) -> None:
        pass

    def upload(self, *_: Any) -> None:
        pass

    def list(self, bucket: str, prefix: str) -> dict[str, int]:
        assert bucket == "transcripts"
        return {key: 1 for key in self.transcripts if key.startswith(prefix)}

    def download(self, *_: str) -> bytes:
        return b"And Mr. John Dashwood had\nthen leisure."

    def delete(self, _: str, key: str) -> None:
        self.transcripts.remove(key)


BASE = realmodels.MODELS["base"].checkpoint_sha256
READING = Material(demo.CACHE / "demo" / "reading.mp3", Path("base.pt"), BASE)


@pytest.fixture
def nothing_spoken(monkeypatch):
    monkeypatch.setattr(material, "human", lambda: READING)


def test_only_the_workers_of_the_job_that_is_deleted_are_waited_for(nothing_spoken):
    media = Media(job=True)
    demo.prepare(media, media)
    (waited,) = (said for said in media.typed if said.startswith("wait "))
    assert f"-l transcription.dev/job-uid={UID}" in waited


def test_the_transcript_of_a_job_that_somebody_has_deleted_is_cleared(nothing_spoken):
    media = Media(job=False, transcripts={"reading/manifest.json", "calls/manifest.json"})
    demo.prepare(media, media)
    assert media.transcripts == {"calls/manifest.json"}
    assert not [said for said in media.typed if said.startswith(("delete ", "wait "))]


def test_a_demo_that_fails_speaks_of_its_own_job_and_says_what_to_do(nothing_spoken):
    media = Media(job=True, phase="Failed")
    with pytest.raises(DevError) as failure:
        demo.run(media, media)
    assert "reading-0-abcde" in str(failure.value)
    assert "calls-0-fghij" not in str(failure.value)
    assert "docs/troubleshooting.md" in str(failure.value)


def test_the_demo_shows_the_transcript_and_its_word_error_rate(monkeypatch, tmp_path, capsys):
    chosen = Material(tmp_path / "reading.mp3", READING.model, READING.model_sha256)
    chosen.text.write_text("And mister john dashwood had then the leisure.\n")
    monkeypatch.setattr(material, "human", lambda: chosen)
    monkeypatch.setattr(Media, "list", lambda *_: {"reading/reading.txt": 1})
    monkeypatch.setattr(Media, "delete", lambda *_: None)
    media = Media(job=True)
    demo.run(media, media)
    said = capsys.readouterr().err
    assert "And Mr. John Dashwood had" in said
    assert "word error rate 12.5%" in said


def test_the_example_names_the_human_speech_and_whisper_base():
    assert demo.manifest(READING) == demo.MANIFEST


def test_the_example_is_copied_for_another_recording_and_model(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "CACHE", tmp_path)
    other = Material(Path("/x/standup.mp3"), Path("demo.pt"), "a1" * 32)
    spec = yaml.safe_load(demo.manifest(other).read_text())["spec"]
    assert spec["source"]["uri"] == "s3://recordings/standup.mp3"
    assert spec["model"] == {"uri": "s3://models/demo.pt", "sha256": "a1" * 32}


@pytest.mark.parametrize(
    "error",
    [
        realmodels.UnavailableError("Whisper base is not available."),
        librivox.UnavailableError("There is no human speech."),
    ],
    ids=["no weights", "no clips"],
)
def test_without_weights_or_clips_the_speech_is_synthetic_and_the_reason_is_said(
    error, monkeypatch, capsys
):
    def fail() -> Material:
        raise error

    monkeypatch.setattr(material, "human", fail)
    monkeypatch.setattr(material, "synthetic", lambda: READING)
    assert material.choose() is READING
    said = capsys.readouterr().err
    assert str(error) in said
    assert "synthetic speech" in said


def test_the_demo_ends_with_the_command_that_the_quick_start_has_for_its_cluster(capsys):
    demo.say_how_to_go_on(READING)
    said = capsys.readouterr().err.replace("\\\n", " ")
    (submit,) = re.findall(r"env .* submit .*", said)
    (block,) = (b for b in blocks_in(demo.ROOT / "docs" / "index.md") if "s3-env" in b.text)
    (documented,) = re.findall(r"env .* submit .*", block.text.replace("\\\n", " "))
    own = str(READING.recording)
    assert set(submit.split()) - {own} == set(documented.split()) - {"standup.mp3"}
    assert own in submit.split()


def test_a_job_that_nobody_has_seen_says_so():
    assert progress_line({}) == "not seen by the operator yet"


def test_a_running_job_shows_how_far_it_is_and_what_is_left():
    status = {
        "phase": "Running",
        "message": "1 of 1 workers active",
        "progress": {"percent": 50, "estimatedRemainingSeconds": 12, "speed": "38.2x"},
    }
    assert progress_line(status) == (
        "Running  [############............]  50 %  12 s left  at 38.2x real time"
    )


def test_a_waiting_job_says_what_it_waits_for():
    status = {"phase": "Pending", "message": "secret not found", "progress": {"percent": 0}}
    assert progress_line(status) == "Pending  secret not found"
