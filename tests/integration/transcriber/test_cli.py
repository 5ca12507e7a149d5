"""The command line on this machine: real ffmpeg, real recognition, local files."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.commands import wait_until
from dev.wer import word_error_rate
from tests.integration.transcriber.speech import Recording
from tests.integration.transcriber.worker import ACCESS_KEY, ROOT, SECRET_KEY, Store


@pytest.fixture(scope="module")
def talk_file(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording.encode(tmp_path_factory.mktemp("home") / "talk.mp3", "-b:a", "64k")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "whisper_transcriber", *map(str, arguments)]


def environment(home: Path, **more: str) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "transcriber"),
        "HOME": str(home),
        "OMP_NUM_THREADS": "2",
        **more,
    }


def run(home: Path, *arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=home, env=environment(home, **more), capture_output=True,
        text=True, timeout=180, check=False,
    )  # fmt: skip


def test_a_local_file_becomes_transcripts_beside_where_one_stands(
    tmp_path: Path, talk_file: Path, checkpoint: Path, recording: Recording
) -> None:
    done = run(
        tmp_path, "transcribe", talk_file, "-m", checkpoint, "-l", "en", "-f", "txt,srt,tsv,json"
    )
    assert done.returncode == 0, done.stderr
    expected = [str(tmp_path / f"talk.{each}") for each in ("txt", "srt", "tsv", "json")]
    assert done.stdout.splitlines() == expected
    text = (tmp_path / "talk.txt").read_text()
    assert word_error_rate(recording.text, text) < 0.1
    assert not (tmp_path / ".transcription").exists()


def test_a_folder_of_recordings_reports_the_bad_one_and_does_the_others(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "good.mp3").write_bytes(talk_file.read_bytes()[:200_000])
    (folder / "bad.mp3").write_bytes(b"RIFF\x10\0\0\0WAVEfmt \xff\xff\xff\xff")
    done = run(tmp_path, "transcribe", "talks", "-o", "texts", "-m", checkpoint, "-l", "en")
    assert done.returncode == 65
    assert (tmp_path / "texts" / "good.mp3.txt").read_text().strip()
    assert f"{folder}/bad.mp3" in done.stderr.splitlines()[-1]
    manifest = json.loads((tmp_path / "texts" / "manifest.json").read_text())
    assert [bool(each["failure"]) for each in manifest["items"]] == [True, False]


def test_a_run_that_was_cut_goes_on_where_it_was(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    arguments = ("transcribe", talk_file, "-m", checkpoint, "-l", "en", "--batch-size", "1")
    process = subprocess.Popen(
        command(*arguments), cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.DEVNULL
    )
    wait_until(
        "two parts are stored",
        lambda: len(list(tmp_path.glob(".transcription/*/groups/*/parts/*"))) >= 2,
        timeout=120,
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = run(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("stored already") >= 2


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, talk_file: Path, checkpoint: Path) -> None:
    process = subprocess.Popen(
        command("transcribe", talk_file, "-m", checkpoint, "-l", "en", "--batch-size", "1"),
        cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(
        "a part is stored",
        lambda: len(list(tmp_path.glob(".transcription/*/groups/*/parts/*"))) >= 1,
        timeout=120,
    )
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 75
    assert stderr.splitlines()[-1] == "transcriber: stopped; the same command continues from here"


def test_a_run_that_was_cut_continues_after_another_one_has_delivered(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    folder = folder_of(tmp_path, talk_file, "a.mp3")
    options = ("-o", "texts", "-m", checkpoint, "-l", "en", "-f", "txt", "--batch-size", "1")
    long = ("transcribe", talk_file, *options)
    process = subprocess.Popen(
        command(*long), cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.DEVNULL
    )
    parts = "texts/.transcription/*/groups/*/parts/*"
    wait_until("a part is stored", lambda: bool(list(tmp_path.glob(parts))), timeout=120)
    process.send_signal(signal.SIGKILL)
    process.wait()
    other = run(tmp_path, "transcribe", folder / "a.mp3", *options)
    assert other.returncode == 0, other.stderr

    again = run(tmp_path, *long)
    assert again.returncode == 0, again.stderr
    assert "stored already" in again.stderr
    assert {path.name for path in (tmp_path / "texts").iterdir()} == {
        "a.txt", f"{talk_file.stem}.txt", "manifest.json",
    }  # fmt: skip


def folder_of(tmp_path: Path, talk_file: Path, *names: str) -> Path:
    folder = tmp_path / "talks"
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names, 1):
        (folder / name).write_bytes(talk_file.read_bytes()[: 60_000 * number])
    return folder


def written(folder: Path) -> dict[str, int]:
    return {str(each): each.stat().st_mtime_ns for each in folder.rglob("*.txt")}


def test_a_second_run_does_only_what_is_new_and_says_so(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    folder = folder_of(tmp_path, talk_file, "a.mp3", "b.mp3")
    arguments = ("transcribe", "talks/", "-m", checkpoint, "-l", "en", "-f", "txt")
    assert run(tmp_path, *arguments).returncode == 0, "without -o it finds them, too"
    before = written(tmp_path)
    assert set(before) == {f"{tmp_path}/a.mp3.txt", f"{tmp_path}/b.mp3.txt"}

    (folder / "c.mp3").write_bytes(talk_file.read_bytes()[:90_000])
    again = run(tmp_path, *arguments)
    assert again.returncode == 0, again.stderr
    after = written(tmp_path)
    assert set(after) == {*before, f"{tmp_path}/c.mp3.txt"}
    assert before.items() <= after.items()
    assert "2 recordings are already transcribed: skipped; --overwrite" in again.stderr

    third = run(tmp_path, *arguments)
    assert third.returncode == 0, third.stderr
    assert written(tmp_path) == after
    assert "loading the model" not in third.stderr

    everything = run(tmp_path, *arguments, "--overwrite")
    assert everything.returncode == 0, everything.stderr
    assert all(new > after[name] for name, new in written(tmp_path).items())


def test_two_recordings_of_one_name_get_two_transcripts(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    folder = folder_of(tmp_path, talk_file, "talk.mp3", "talk.mp2")
    for name in ("talk.mp3", "talk.mp2"):
        done = run(tmp_path, "transcribe", folder / name, "-o", "one", "-m", checkpoint,
                   "-l", "en", "-f", "txt")  # fmt: skip
        assert done.returncode == 0, done.stderr
    texts = {path.name: path.read_text() for path in (tmp_path / "one").glob("*.txt")}
    assert set(texts) == {"talk.txt", "talk.mp2.txt"}
    assert len(texts["talk.mp2.txt"]) > len(texts["talk.txt"])


def test_what_a_mac_leaves_behind_is_skipped_and_upper_case_is_the_same(
    tmp_path: Path, talk_file: Path, checkpoint: Path
) -> None:
    folder = folder_of(tmp_path, talk_file, "REC001.MP3")
    for name in ("._REC001.MP3", ".DS_Store"):
        (folder / name).write_bytes(b"\0\5\26\7Mac OS X")
    done = run(tmp_path, "transcribe", folder, "-o", "texts", "--include", "*.mp3", "-m",
               checkpoint, "-l", "en", "-f", "txt")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "texts").glob("*.txt")] == ["REC001.MP3.txt"]
    assert done.stderr.splitlines()[-1] == "transcriber: 1 other file is not media: skipped"


def test_a_terminal_gets_a_bar(tmp_path: Path, talk_file: Path, checkpoint: Path) -> None:
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    process = subprocess.Popen(
        command("transcribe", talk_file, "-m", checkpoint, "-l", "en"),
        cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(screen, 4096)
        except OSError:  # Linux's word for the end of a terminal
            break
        if not piece:
            break
        shown += piece
    os.close(screen)
    assert process.wait() == 0
    assert b"transcribing: 100%" in shown
    assert b"INFO" not in shown


def test_from_one_s3_bucket_to_another(
    tmp_path: Path, s3: Store, talk: str, checkpoint: Path
) -> None:
    keys = {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    done = run(
        tmp_path, "transcribe", talk, "-o", "s3://out/cli/", "-m", checkpoint, "-l", "en", **keys
    )
    assert done.returncode == 0, done.stderr
    assert s3.get("s3://out/cli/talk one.txt").strip()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("nowhere.mp3",), 66, "nowhere.mp3 does not exist"),
        (("s3://media/a.mp3", "-m", "huge"), 78, "huge"),
        ((".", "-o", "."), 78, "cannot be both source and output"),
        (("a.mp3", "-l", "Portugese"), 78, "did you mean pt (portuguese)?"),
        (("a.mp3", "-m", "turbo", "--translate"), 78, "turbo cannot translate into English"),
        (("a.mp3", "-m", "small.en", "--translate"), 78, "small.en cannot translate"),
        (("caf\udce9.mp3",), 78, "is not UTF-8: rename the file"),
    ],
    ids=[
        "no such file",
        "no such model",
        "output among the sources",
        "no such language",
        "turbo translates",
        "English translates",
        "not UTF-8",
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path, checkpoint: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    model = () if "-m" in arguments else ("-m", checkpoint)
    done = run(tmp_path, "transcribe", *arguments, *model, AWS_ACCESS_KEY_ID="k",
               AWS_SECRET_ACCESS_KEY="s")  # fmt: skip
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr.splitlines()[-1]


def test_the_models_are_listed(tmp_path: Path) -> None:
    done = run(tmp_path, "models")
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"NAME", "tiny", "large-v3", "turbo"} <= set(names)
