"""submit --follow; the operator's and the workers' parts are played."""

from pathlib import Path

import pytest

from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage, end


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "standup.wav"
    path.write_bytes(b"RIFF not really speech")
    return str(path)


def test_followed_it_shows_progress_and_ends_with_the_transcript(
    stage: UserStage, plugin: Plugin, file: str
):
    command = plugin.start("submit", file, "--bucket", "media", "--follow")
    name = stage.the_only_job()["metadata"]["name"]
    progress = {"percent": 50, "totalSeconds": 60, "speed": "38.2x"}
    stage.set_status(name, phase="Running", progress=progress)
    assert command.stderr
    told = iter(command.stderr.readline, "")
    assert any("] " in line and "50%  at 38.2x" in line for line in told)
    stage.succeed(name, txt="März: good morning.\n", json="{}")
    ended = end(command)
    assert (ended.code, ended.out) == (0, "März: good morning.\n")
    assert "Succeeded  Transcribed 90 s" in ended.err


def test_followed_a_job_that_fails_is_exit_code_1(stage: UserStage, plugin: Plugin):
    command = plugin.start("submit", "s3://media/x.mp3", "--follow")
    name = stage.the_only_job()["metadata"]["name"]
    stage.set_status(name, phase="Failed", reason="MediaInvalid", message="x.mp3 is not audio")
    ended = end(command)
    assert (ended.code, ended.out) == (1, "")
    assert f"error: TranscriptionJob {name} failed (MediaInvalid): x.mp3 is not audio" in ended.err


def test_followed_one_of_several_that_fails_keeps_nobodys_transcript_back(
    stage: UserStage, plugin: Plugin
):
    sources = ["s3://media/one.mp3", "s3://media/two.mp3"]
    command = plugin.start("submit", *sources, "--bucket", "out", "--follow")
    assert command.stderr
    names = []
    while len(names) < len(sources):
        line = command.stderr.readline()
        assert line
        names += [line.split()[0].partition("/")[2]] if line.endswith(" created\n") else []
    first, second = names
    stage.set_status(first, phase="Failed", reason="MediaInvalid", message="no audio")
    stage.succeed(second, txt="good morning\n")
    ended = end(command)
    assert (ended.code, ended.out) == (1, "good morning\n")
    assert f"error: TranscriptionJob {first} failed (MediaInvalid): no audio" in ended.err
    assert f"error: 1 of 2 TranscriptionJobs have no transcript here: {first}\n" in ended.err
