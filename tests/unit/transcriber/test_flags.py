from pathlib import Path

import pytest

from transcription_contract.decoding import (
    AudioContext,
    Decoding,
    DecodingMode,
    LanguagePer,
    SuspectText,
    Timestamps,
    VoiceActivity,
)
from transcription_contract.options import (
    ChannelMode,
    ExistingOutput,
    OutputFormat,
    SourceAudio,
    Subtitles,
)
from transcription_contract.task import Task
from whisper_transcriber import flags
from whisper_transcriber.errors import ConfigurationInvalid, LanguageUnknown


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
        "--suspect-text", "drop", "--language-per", "slice", "--window-seconds", "28",
        "--timestamps", "alignment",
    )  # fmt: skip
    assert made.formats == (OutputFormat.SRT, OutputFormat.TSV)
    assert (made.language, made.task, made.batch_size) == ("de", "translate", 4)
    assert made.decoding.beam_size == 5
    assert made.decoding.initial_prompt == "Kubernetes"
    assert made.decoding.word_timestamps
    assert made.decoding.audio_context is AudioContext.WINDOW
    assert made.decoding.mode is DecodingMode.SEQUENTIAL
    assert made.decoding.suspect_text is SuspectText.DROP
    assert made.decoding.language_per is LanguagePer.SLICE
    assert made.decoding.window_seconds == 28
    assert made.decoding.timestamps is Timestamps.ALIGNMENT
    assert made.subtitles.max_line_width == 42
    assert made.allowed_networks == ("10.0.0.0/8",)


def test_a_command_without_options_has_the_defaults_of_a_job() -> None:
    made = task("a.mp3")
    assert (made.decoding, made.subtitles, made.audio) == (Decoding(), Subtitles(), SourceAudio())


def test_thresholds_and_the_detector_reach_the_task_in_openai_whispers_words() -> None:
    decoding = task(
        "a.mp3", "--temperature", "0, 0.4", "--compression-ratio-threshold", "2.8",
        "--logprob-threshold", "-0.5", "--no-speech-threshold", "0.9", "--no-vad",
        "--vad-threshold", "0.3", "--vad-min-speech", "100", "--vad-min-silence", "2000",
        "--vad-padding", "400",
    ).decoding  # fmt: skip
    assert decoding.temperature == ("0", "0.4")
    assert decoding.compression_ratio_threshold == "2.8"
    assert decoding.logprob_threshold == "-0.5"
    assert decoding.no_speech_threshold == "0.9"
    assert decoding.vad == VoiceActivity(
        enabled=False,
        threshold="0.3",
        min_speech_milliseconds=100,
        min_silence_milliseconds=2000,
        padding_milliseconds=400,
    )


@pytest.mark.parametrize(
    ("stated", "code"),
    [("nb", "no"), ("English", "en"), ("pt-BR", "pt"), ("zh-CN", "zh"), ("iw", "he"), ("jw", "jw"),
     ("EN", "en"), ("german", "de"), ("", "auto"), ("auto", "auto")],
)  # fmt: skip
def test_a_language_is_taken_as_people_write_it(stated: str, code: str) -> None:
    assert task("a.mp3", "-l", stated).language == code


def test_an_unknown_language_is_refused_before_a_model_is_loaded() -> None:
    with pytest.raises(LanguageUnknown, match="does not know the language 'klingon'"):
        task("a.mp3", "-l", "klingon")


def test_hotwords_are_given_with_commas_or_one_by_one() -> None:
    made = task("a.mp3", "--hotwords", "kopf, Kubernetes", "--hotwords", "Sankt Gallen")
    assert made.decoding.hotwords == ("kopf", "Kubernetes", "Sankt Gallen")


@pytest.mark.parametrize(
    ("stated", "track"),
    [("2", 2), ("all", "all"), ("auto", "auto")],
    ids=["a number", "all", "auto"],
)
def test_a_track_is_a_number_or_a_word(stated: str, track: str | int) -> None:
    made = task("a.mkv", "--track", stated, "--channels", "separate")
    assert made.audio == SourceAudio(track=track, channels=ChannelMode.SEPARATE)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ExistingOutput.SKIP),
        (("--overwrite",), ExistingOutput.OVERWRITE),
        (("--existing", "fail"), ExistingOutput.FAIL),
    ],
    ids=["the default", "overwrite", "fail"],
)
def test_transcripts_that_are_there_are_kept_unless_it_says_otherwise(
    arguments: tuple[str, ...], expected: ExistingOutput
) -> None:
    assert task("recordings/", *arguments).existing is expected


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
        (("a.mp3", "--track", "second"), "track is auto, all, or a number from 1 to 99"),
        (("a.mp3", "--temperature", ","), "temperature"),
    ],
    ids=["no source", "a beam too wide", "no such task", "no checksum", "no such track",
         "no temperature"],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=sentence):
        task(*arguments)


def test_a_threshold_that_is_not_a_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        task("a.mp3", "--logprob-threshold", "low")
    assert "--logprob-threshold: 'low' is not a number such as 0.6" in capsys.readouterr().err


def test_an_unknown_format_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        task("a.mp3", "-f", "doc")
    assert "choose from json, srt, vtt, txt, tsv" in capsys.readouterr().err
