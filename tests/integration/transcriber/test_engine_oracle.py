"""Real speech through our loop and through openai-whisper: the same tokens."""

from pathlib import Path

import numpy as np
import pytest
import whisper  # type: ignore[import-untyped]
from whisper.decoding import DecodingOptions  # type: ignore[import-untyped]

from dev import demomodel
from tests.integration.transcriber.speech import RATE, speak
from transcription_contract.decoding import Decoding
from transcription_contract.options import WhisperTask
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.protocol import DecodingResult
from whisper_transcriber.engine.whisper_engine import WhisperEngine

PROMPT = "Saturday, the manager speaks"


@pytest.fixture(scope="module")
def windows() -> list[Waveform]:
    """Eight windows of 5 to 15 s."""
    lengths = (14, 5, 12, 8, 15, 7, 10, 6)
    return [
        speak(length, seed=length).samples[: 15 * RATE].astype(np.float32) / np.float32(32768)
        for length in lengths
    ]


@pytest.fixture(scope="module")
def model() -> whisper.Whisper:
    return whisper.load_model(str(demomodel.unpack()), device="cpu")


def engine(checkpoint: Path, task: WhisperTask = "transcribe", **decoding: object) -> WhisperEngine:
    return WhisperEngine.load(
        checkpoint,
        label="demo.pt",
        task=task,
        decoding=Decoding.model_validate(decoding),
        word_timestamps=False,
        threads=2,
    )


def tokens(decoded: DecodingResult) -> list[int]:
    return [token for phrase in decoded.phrases for token in phrase.tokens]


@pytest.mark.parametrize("prompt", ["", PROMPT], ids=["no prompt", "a prompt"])
@pytest.mark.parametrize("batch", [1, 2, 7, 8])
def test_the_tokens_are_those_of_whisper_decode(
    checkpoint: Path, model: whisper.Whisper, windows: list[Waveform], batch: int, prompt: str
) -> None:
    options = DecodingOptions(language="en", prompt=prompt, fp16=False)
    expected = whisper.decode(model, spectrogram.log_mel(windows[:batch], 3000, model), options)
    found = engine(checkpoint, initial_prompt=prompt).decode(windows[:batch], ["en"] * batch)
    assert [tokens(each) for each in found] == [each.tokens for each in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.avg_logprob == pytest.approx(theirs.avg_logprob, abs=1e-4)
        assert ours.no_speech_prob == pytest.approx(theirs.no_speech_prob, abs=1e-6)
        assert ours.compression_ratio == pytest.approx(theirs.compression_ratio)


@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_each_window_is_decoded_in_its_own_language(
    checkpoint: Path, model: whisper.Whisper, windows: list[Waveform], task: WhisperTask
) -> None:
    languages = ["en", "de", "ja", "en"]
    mels = spectrogram.log_mel(windows[:4], 3000, model)
    expected = [
        whisper.decode(model, mel, DecodingOptions(task=task, language=language, fp16=False))
        for mel, language in zip(mels, languages, strict=True)
    ]
    found = engine(checkpoint, task).decode(windows[:4], languages)
    assert [tokens(each) for each in found] == [each.tokens for each in expected]


@pytest.mark.parametrize("prompt", ["", PROMPT], ids=["no prompt", "a prompt"])
def test_beams_are_whisper_s_own(
    checkpoint: Path, model: whisper.Whisper, windows: list[Waveform], prompt: str
) -> None:
    options = DecodingOptions(language="en", beam_size=3, prompt=prompt, fp16=False)
    mels = spectrogram.log_mel(windows[:2], 3000, model)
    expected = [whisper.decode(model, mel, options) for mel in mels]
    searching = engine(checkpoint, beam_size=3, initial_prompt=prompt)
    found = searching.decode(windows[:2], ["en", "en"])
    assert [tokens(each) for each in found] == [each.tokens for each in expected]
    assert found[0].avg_logprob == pytest.approx(expected[0].avg_logprob, abs=1e-4)


@pytest.mark.parametrize("beam_size", [1, 2])
def test_encoding_the_window_alone_hears_the_same_words(
    checkpoint: Path, windows: list[Waveform], beam_size: int
) -> None:
    """Mostly: a word of one window may differ."""
    text = [
        [
            "".join(phrase.text for phrase in decoded.phrases).split()
            for decoded in engine(checkpoint, beam_size=beam_size, audio_context=context).decode(
                windows[:3], ["en"] * 3
            )
        ]
        for context in ("full", "window")
    ]
    full, short = text
    same = sum(a == b for a, b in zip(full, short, strict=True))
    assert same >= 2
