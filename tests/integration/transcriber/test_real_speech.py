"""Real weights on human speech: Whisper tiny.en and base on a LibriVox reading."""

import json
from pathlib import Path

import pytest
import whisper

from dev.recording import Sentence
from dev.wer import word_error_rate
from tests.integration.transcriber.test_cli import run
from tests.realmodels import reading

ROUNDS = 2
"""A minute; the five sentences have 71 words."""

LIMIT = 0.12
"""Word error rate of tiny.en, measured: .070 (10 of 142 words).

Two of them are in the reference ("a more a amiable"), the others are "ill disposed", which tiny.en
hears as "old-sposed".
"""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Sentence]]:
    path = tmp_path_factory.mktemp("spoken") / "reading.mp3"
    return path, reading(path, ROUNDS)


@pytest.fixture(scope="module")
def delivered(
    spoken: tuple[Path, list[Sentence]],
    tiny_en_checkpoint: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder with what the command line makes of the reading."""
    folder = tmp_path_factory.mktemp("delivered")
    done = run(folder, "transcribe", spoken[0], "-m", tiny_en_checkpoint, "-f", "txt,json")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_reading_is_transcribed_by_tiny_en(spoken, delivered: Path, record_property):
    rate = word_error_rate(
        spoken[0].with_suffix(".txt").read_text(), (delivered / "reading.txt").read_text()
    )
    record_property("wer", rate)
    assert rate <= LIMIT


def test_the_segments_lie_where_the_sentences_were_spoken(spoken, delivered: Path):
    segments = json.loads((delivered / "reading.json").read_text())["segments"]
    for sentence in spoken[1]:
        first = " ".join(sentence.words[:2])
        begins = [s["start"] for s in segments if _plain(s["text"]).startswith(first)]
        assert min(abs(start - sentence.start) for start in begins) < 1, first


def _plain(text: str) -> str:
    return text.strip().lower().replace("mr.", "mister")


@pytest.mark.parametrize("name", ["tiny_en_checkpoint", "base_checkpoint"])
def test_openai_whisper_reads_the_checkpoint_and_hears_the_first_sentence(
    name: str, request: pytest.FixtureRequest, spoken
):
    path, sentences = spoken
    model = whisper.load_model(str(request.getfixturevalue(name)), device="cpu")
    assert model.is_multilingual == (name == "base_checkpoint")
    sound = whisper.pad_or_trim(whisper.load_audio(str(path))[: int(sentences[0].end * 16_000)])
    mel = whisper.log_mel_spectrogram(sound, n_mels=model.dims.n_mels)
    heard = whisper.decode(model, mel, whisper.DecodingOptions(fp16=False, language="en"))
    assert word_error_rate(" ".join(sentences[0].words), heard.text) == 0
