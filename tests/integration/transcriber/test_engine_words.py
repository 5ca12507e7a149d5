"""Words of real speech get the times that openai-whisper gives them."""

from pathlib import Path

import numpy as np
import pytest
import whisper  # type: ignore[import-untyped]
from whisper.timing import find_alignment  # type: ignore[import-untyped]

from tests.integration.transcriber.speech import RATE, speak
from transcription_contract.decoding import Decoding
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.whisper_engine import WhisperEngine

LENGTHS = (9, 4, 14)


@pytest.fixture(scope="module")
def windows() -> list[Waveform]:
    return [
        speak(length, seed=length).samples[: 15 * RATE].astype(np.float32) / np.float32(32768)
        for length in LENGTHS
    ]


def engine(checkpoint: Path, **decoding: object) -> WhisperEngine:
    return WhisperEngine.load(
        checkpoint,
        label="demo.pt",
        task="transcribe",
        decoding=Decoding.model_validate(decoding),
        word_timestamps=True,
        threads=2,
    )


def test_words_have_the_times_that_whisper_finds(checkpoint: Path, windows: list[Waveform]) -> None:
    """But for a phrase's first word, which must not begin in the pause before it."""
    model = whisper.load_model(str(checkpoint), device="cpu")
    tokenizer = whisper.tokenizer.get_tokenizer(True, language="en", task="transcribe")
    mels = spectrogram.log_mel(windows, 3000, model)
    results = engine(checkpoint).decode(windows, ["en"] * len(windows))
    for decoded, mel, window in zip(results, mels, windows, strict=True):
        text = [t for each in decoded.phrases for t in each.tokens if t < tokenizer.eot]
        expected = find_alignment(model, tokenizer, text, mel, len(window) // 160)
        found = [
            (word, number == 0)
            for phrase in decoded.phrases
            for number, word in enumerate(phrase.words)
        ]
        assert len(found) == len(expected) > 5
        for (ours, first), theirs in zip(found, expected, strict=True):
            assert ours.text == theirs.word
            assert ours.end == pytest.approx(theirs.end, abs=0.04)
            assert ours.probability == pytest.approx(theirs.probability, abs=1e-3)
            if first:
                assert ours.start >= theirs.start - 0.04
            else:
                assert ours.start == pytest.approx(theirs.start, abs=0.04)


@pytest.mark.parametrize("context", ["full", "window"])
@pytest.mark.parametrize("beam_size", [1, 2])
def test_words_are_in_order_and_together_the_text(
    checkpoint: Path, windows: list[Waveform], context: str, beam_size: int
) -> None:
    timing = engine(checkpoint, audio_context=context, beam_size=beam_size)
    for decoded, window in zip(timing.decode(windows, ["en"] * 3), windows, strict=True):
        words = [word for phrase in decoded.phrases for word in phrase.words]
        assert "".join(word.text for word in words) == "".join(p.text for p in decoded.phrases)
        borders = [at for word in words for at in (word.start, word.end)]
        assert borders == sorted(borders)
        assert borders[-1] <= len(window) / RATE


def test_silence_beside_speech_has_no_words(checkpoint: Path, windows: list[Waveform]) -> None:
    silence = np.zeros(3 * RATE, np.float32)
    silent, spoken = engine(checkpoint).decode([silence, windows[1]], ["en", "en"])
    assert silent.phrases == ()
    assert spoken.phrases[0].words
