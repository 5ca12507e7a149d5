from pathlib import Path

import pytest

from transcription_contract.options import AudioContext, DecodingMode, OutputFormat
from transcription_contract.task import Task
from whisper_transcriber import flags
from whisper_transcriber.errors import ConfigurationInvalid


def task(*arguments: str) -> Task:
    return flags.task_of(flags.parser().parse_args(["transcribe", *arguments]))[0]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_alone_is_enough(tmp_path: Path) -> None:
    made = task("talk.mp3")
    assert made.source_uri == f"file://{tmp_path}/talk.mp3"
    assert made.output_uri == f"file://{tmp_path}/"
    assert made.model.name == "turbo"
    assert made.language == "auto"


def test_a_folder_is_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    made = task("talks", "-o", "texts", "--include", "*.wav")
    assert made.source_uri == f"file://{tmp_path}/talks/"
    assert made.output_uri == f"file://{tmp_path}/texts/"
    assert made.include == ("*.wav",)


def test_uris_stay_what_they_are() -> None:
    made = task("https://example.com/a.mp3?x=1", "-o", "s3://out/talks")
    assert made.source_uri == "https://example.com/a.mp3?x=1"
    assert made.output_uri == "s3://out/talks/"


def test_every_option_reaches_the_task() -> None:
    made = task(
        "a.mp3", "-f", "srt,tsv", "-l", "de", "--translate", "--batch-size", "4", "--beam-size",
        "5", "--initial-prompt", "Kubernetes", "--word-timestamps", "--max-line-width", "42",
        "--audio-context", "window", "--mode", "sequential", "--allow-network", "10.0.0.0/8",
    )  # fmt: skip
    assert made.formats == (OutputFormat.SRT, OutputFormat.TSV)
    assert (made.language, made.task, made.batch_size) == ("de", "translate", 4)
    assert made.decoding.beam_size == 5
    assert made.decoding.initial_prompt == "Kubernetes"
    assert made.decoding.word_timestamps
    assert made.decoding.audio_context is AudioContext.WINDOW
    assert made.decoding.mode is DecodingMode.SEQUENTIAL
    assert made.subtitles.max_line_width == 42
    assert made.allowed_networks == ("10.0.0.0/8",)


def test_a_checkpoint_of_one_s_own_is_a_file_or_a_uri_with_its_checksum() -> None:
    options = flags.parser().parse_args(["transcribe", "a.mp3", "-m", "mine/demo.pt"])
    made, model_file = flags.task_of(options)
    assert (made.model.label, model_file) == ("demo", Path("mine/demo.pt"))
    stored = task("a.mp3", "-m", "s3://models/m.bin", "--model-sha256", "0" * 64)
    assert stored.model.uri == "s3://models/m.bin"


def test_the_same_command_is_the_same_job_and_another_one_is_not() -> None:
    assert task("a.mp3").uid == task("a.mp3").uid
    assert task("a.mp3").uid != task("a.mp3", "-l", "de").uid


def test_a_task_is_read_from_a_file(tmp_path: Path) -> None:
    made = task("a.mp3", "-l", "de")
    (tmp_path / "task.json").write_text(made.to_environment())
    assert task("--task", "task.json") == made


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name a recording"),
        (("a.mp3", "--beam-size", "99"), "less than or equal to 16"),
        (("--task", "nowhere.json"), "nowhere.json cannot be read"),
        (("a.mp3", "-m", "s3://models/m.pt", "--model-sha256", "abc"), "sha256"),
    ],
    ids=["no source", "a beam too wide", "no such task", "no checksum"],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=sentence):
        task(*arguments)


def test_an_unknown_format_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        task("a.mp3", "-f", "doc")
    assert "choose from json, srt, vtt, txt, tsv" in capsys.readouterr().err
