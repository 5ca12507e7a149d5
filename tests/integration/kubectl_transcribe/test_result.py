"""result: what the workers delivered, onto stdout or into a folder."""

import pytest

from tests.integration.kubectl_transcribe.plugin import Plugin, UserStage, put
from whisper_transcriber.audio.facts import AudioWarning, WarningKind


@pytest.fixture
def standup(stage: UserStage) -> UserStage:
    output = {"uri": f"s3://out/{stage.namespace}/standup/"}
    stage.apply(name="standup", output=output)
    stage.succeed("standup", txt="Good morning.\n", srt="1\n00:00", json="{}")
    return stage


def test_the_text_is_printed_as_it_was_delivered(standup: UserStage, plugin: Plugin):
    ended = plugin("result", "standup")
    assert (ended.code, ended.out) == (0, "Good morning.\n")


def test_another_format_is_printed_when_it_is_asked_for(standup: UserStage, plugin: Plugin):
    assert plugin("result", "standup", "-o", "srt").out == "1\n00:00"
    ended = plugin("result", "standup", "-o", "tsv")
    assert ended.code == 4
    assert "there is no transcript in the format tsv; there is: txt, srt, json" in ended.err


def test_all_formats_are_downloaded_or_one(standup: UserStage, plugin: Plugin, tmp_path):
    folder = tmp_path / "transcripts"
    ended = plugin("result", "standup", "--download", str(folder))
    assert ended.code == 0, ended.err
    assert sorted(ended.out.splitlines()) == sorted(str(each) for each in folder.iterdir())
    assert {each.name for each in folder.iterdir()} == {
        "standup.txt",
        "standup.srt",
        "standup.json",
    }
    one = tmp_path / "one"
    plugin("result", "standup", "-d", str(one), "-o", "txt")
    assert [(each.name, each.read_text()) for each in one.iterdir()] == [
        ("standup.txt", "Good morning.\n")
    ]


def test_many_recordings_have_headings_and_paths(stage: UserStage, plugin: Plugin, tmp_path):
    stage.apply(name="calls", output={"uri": f"s3://out/{stage.namespace}/calls/"})
    stage.deliver("calls", {"a.mp3.txt": "A\n", "2026/b.mp3.txt": "B\n"})
    stage.set_status("calls", phase="Succeeded")
    printed = plugin("result", "calls").out
    assert printed == "==> s3://media/a.mp3.txt <==\nA\n==> s3://media/2026/b.mp3.txt <==\nB\n"
    plugin("result", "calls", "-d", str(tmp_path / "calls"))
    assert (tmp_path / "calls/2026/b.mp3.txt").read_text() == "B\n"


def test_warnings_and_suspect_text_are_told_beside_the_transcript(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup", output={"uri": f"s3://out/{stage.namespace}/standup/"})
    gap = AudioWarning(kind=WarningKind.GAP, message="12 s are missing.", start=61.0, seconds=12.0)
    stage.deliver("standup", {"a.txt": "Hello.\n"}, warnings=(gap,), suspect_segments=2)
    stage.set_status("standup", phase="Succeeded")
    ended = plugin("result", "standup")
    assert ended.out == "Hello.\n"
    assert "warning: s3://media/a.txt at 0:01:01: 12 s are missing.\n" in ended.err
    assert "flags 2 of its segments" in ended.err


def test_a_job_that_is_not_done_has_no_result(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Running")
    ended = plugin("result", "standup")
    assert ended.code == 4
    assert "is Running: its transcripts are there when it has succeeded" in ended.err


def test_a_job_that_failed_says_why_and_how_to_try_it_again(stage: UserStage, plugin: Plugin):
    stage.apply(name="standup")
    stage.set_status("standup", phase="Failed", reason="MediaInvalid", message="x is not audio")
    ended = plugin("result", "standup")
    assert ended.code == 4
    assert "standup failed (MediaInvalid): x is not audio; `kubectl transcribe retry" in ended.err


FAILED = {"item": "s3://media/b.mp3", "reason": "NoAudioStream", "message": "no sound"}


@pytest.mark.parametrize("verb", ["result", "follow"])
def test_recordings_without_a_transcript_are_named_beside_the_others(
    standup: UserStage, plugin: Plugin, verb: str
):
    standup.set_status("standup", failures=[FAILED])
    ended = plugin(verb, "standup")
    assert ended.code == 0
    assert "no transcript of s3://media/b.mp3 (NoAudioStream): no sound\n" in ended.err
    assert "NoAudioStream" not in ended.out


def test_silence_is_said_where_nothing_can_be_printed(stage: UserStage, plugin: Plugin):
    stage.apply(name="hush", output={"uri": f"s3://out/{stage.namespace}/hush/"})
    stage.succeed("hush", txt="\n")
    ended = plugin("result", "hush")
    assert (ended.code, ended.out) == (0, "\n")
    assert ended.err == "no speech was found in s3://media/hush.txt\n"


def test_a_place_outside_of_the_folder_is_not_written(stage: UserStage, plugin: Plugin, tmp_path):
    stage.apply(name="calls", output={"uri": f"s3://out/{stage.namespace}/calls/"})
    stage.deliver("calls", {"a.txt": "A\n"})
    manifest = stage.store.get(f"s3://out/{stage.namespace}/calls/manifest.json").decode()
    hostile = manifest.replace("/calls/a.txt", "/calls/../../a.txt")
    put(stage.store, "out", f"{stage.namespace}/calls/manifest.json", hostile)
    stage.set_status("calls", phase="Succeeded")
    ended = plugin("result", "calls", "-d", str(tmp_path / "x/y/z"))
    assert ended.code == 4
    assert "it was not written by the job" in ended.err
    assert not list(tmp_path.rglob("a.txt"))


def test_transcripts_of_another_job_are_not_taken_for_its_own(standup: UserStage, plugin: Plugin):
    standup.deliver("standup", {"standup.txt": "Other.\n"}, uid="another")
    assert "another TranscriptionJob has delivered" in plugin("result", "standup").err


def test_transcripts_that_were_removed_are_exit_code_4(stage: UserStage, plugin: Plugin):
    stage.apply(name="gone", output={"uri": f"s3://out/{stage.namespace}/gone/"})
    stage.set_status("gone", phase="Succeeded")
    ended = plugin("result", "gone")
    assert ended.code == 4
    assert "gone/manifest.json is not in the object store" in ended.err


def test_keys_that_the_store_refuses_are_exit_code_5(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(secretKey="wrong")
    bare_stage.apply(name="standup")
    bare_stage.set_status("standup", phase="Succeeded")
    ended = plugin("result", "standup")
    assert ended.code == 5
    assert "does not accept the keys of Secret transcription-object-store" in ended.err


def test_without_secret_and_keys_it_says_which_secret_and_how_to_make_it(
    bare_stage: UserStage, plugin: Plugin
):
    bare_stage.apply(name="standup")
    bare_stage.set_status("standup", phase="Succeeded")
    ended = plugin("result", "standup", "--endpoint", bare_stage.store.endpoint)
    assert ended.code == 5
    here = bare_stage.namespace
    assert f"there is no Secret transcription-object-store in namespace {here}" in ended.err
    assert f"`kubectl create secret generic transcription-object-store -n {here} " in ended.err


def test_a_secret_that_lacks_a_key_is_exit_code_5(bare_stage: UserStage, plugin: Plugin):
    bare_stage.write_secret(accessKey=None)
    bare_stage.apply(name="standup")
    bare_stage.set_status("standup", phase="Succeeded")
    ended = plugin("result", "standup")
    assert ended.code == 5
    assert "has no accessKey: kubectl patch secret" in ended.err
