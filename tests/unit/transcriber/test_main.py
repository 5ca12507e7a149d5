import logging
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from transcription_contract.exit_codes import ExitCode
from transcription_contract.termination import Result, Termination, decode
from whisper_transcriber import __main__ as program
from whisper_transcriber.errors import Interrupted, SourceNotFound, Stalled


def ends_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Callable[[], Termination]
) -> tuple[ExitCode, Termination | None]:
    monkeypatch.setattr(program, "_transcribe", lambda *_: outcome())
    path = tmp_path / "termination"
    code = program.run_pod({"TERMINATION_PATH": str(path)})
    return code, decode(path.read_text())


def test_without_a_task_and_arguments_the_program_explains_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main([], {})
    assert ended.value.code == 0
    assert "transcriber transcribe standup.mp3" in capsys.readouterr().out


def test_a_pod_without_a_task_fails_as_a_pod(tmp_path: Path) -> None:
    last_words = tmp_path / "termination"
    environ = {"JOB_COMPLETION_INDEX": "0", "TERMINATION_PATH": str(last_words)}
    assert program.main([], environ) == ExitCode.CONFIGURATION_INVALID
    words = decode(last_words.read_text())
    assert words
    assert words.error
    assert "TASK is not set" in words.error.message


def test_success_is_told_with_its_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = Termination(result=Result(language="en", audio_seconds=5, model_sha256="0" * 64))
    assert ends_with(monkeypatch, tmp_path, lambda: done) == (ExitCode.DONE, done)


def test_an_error_of_ours_ends_with_its_code_and_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> Termination:
        raise SourceNotFound("s3://a/b does not exist")

    code, words = ends_with(monkeypatch, tmp_path, fail)
    assert code is ExitCode.SOURCE_NOT_FOUND
    assert words
    assert words.error
    assert (words.error.reason, words.error.message) == (
        "SourceNotFound",
        "s3://a/b does not exist",
    )


def test_a_worker_that_was_asked_to_stop_ends_as_sigterm_ends_a_process_and_one_that_hangs_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop() -> Termination:
        raise Interrupted("asked to stop")

    def hang() -> Termination:
        raise Stalled("nothing for 600 seconds")

    assert ends_with(monkeypatch, tmp_path, stop)[0] == 128 + signal.SIGTERM
    assert ends_with(monkeypatch, tmp_path, hang)[0] == 75


def test_a_bug_ends_with_70_and_a_traceback_in_the_log_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Termination:
        raise KeyError("surprise")

    with caplog.at_level(logging.ERROR):
        code, words = ends_with(monkeypatch, tmp_path, fail)
    assert code is ExitCode.INTERNAL_ERROR
    assert words
    assert words.error
    assert words.error.reason == "InternalError"
    assert "surprise" not in words.error.message
    assert "surprise" in caplog.text


def test_words_that_nobody_can_hear_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program, "_transcribe", lambda *_: Termination())
    nowhere = tmp_path / "no" / "folder"
    assert program.run_pod({"TERMINATION_PATH": str(nowhere)}) is ExitCode.DONE
