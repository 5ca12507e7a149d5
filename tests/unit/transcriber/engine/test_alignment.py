"""whisper.timing is the oracle."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from whisper.model import Whisper  # type: ignore[import-untyped]
from whisper.timing import find_alignment, median_filter  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.alignment import Aligner, Line, median
from whisper_transcriber.engine.decoder import TextDecoder
from whisper_transcriber.engine.vocabulary import Vocabulary

SECONDS = (4.0, 1.5, 9.0)
TEXTS = (" thank you, near a voice.", " table", " please make a forest under Saturday")


@given(
    arrays.arrays(
        "float32",
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=12),
        elements=st.floats(-10, 10, width=32),
    )
)
def test_the_median_is_whisper_s(values: "arrays.np.ndarray") -> None:
    x = torch.from_numpy(values)
    torch.testing.assert_close(median(x), median_filter(x, 7), rtol=0, atol=0)


@pytest.mark.parametrize("size", [tiny.MULTILINGUAL, tiny.ENGLISH_ONLY])
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]], ids=str)
def test_a_batch_is_timed_as_whisper_times_each_window(size: int, order: list[int]) -> None:
    model = tiny.model(size)
    vocabulary = Vocabulary(model, "transcribe")
    decoder = TextDecoder(model, torch.float32)
    windows = tiny.noise(*SECONDS)
    texts = [vocabulary.tokenizer("en").encode(text) for text in TEXTS]
    mels = spectrogram.log_mel(windows, 3000, model)
    lines = [
        Line("en", text, spectrogram.own_positions(window, 1500))
        for text, window in zip(texts, windows, strict=True)
    ]
    with torch.inference_mode():
        heard = decoder.hear(spectrogram.encode(model, mels, torch.float32))
        heard.arrange(order)
        timed = Aligner(model, decoder, vocabulary).run(heard, lines)
    for times, text, mel, window in zip(timed, texts, mels, windows, strict=True):
        words = find_alignment(model, vocabulary.tokenizer("en"), text, mel, len(window) // 160)
        first = 0
        for word in words:
            last = first + len(word.tokens)
            assert times.starts[first] == pytest.approx(word.start, abs=0.04)
            assert times.starts[last] == pytest.approx(word.end, abs=0.04)
            mean = sum(times.probabilities[first:last]) / len(word.tokens)
            assert mean == pytest.approx(word.probability, abs=1e-4)
            first = last


@torch.inference_mode()
def test_a_window_without_text_among_others_has_no_times() -> None:
    model = tiny.model()
    decoder = TextDecoder(model, torch.float32)
    mels = spectrogram.log_mel(tiny.noise(1.0, 1.0), 3000, model)
    heard = decoder.hear(spectrogram.encode(model, mels, torch.float32))
    lines = [Line("en", [], 50), Line("de", [400, 500], 50)]
    silent, spoken = Aligner(model, decoder, Vocabulary(model, "transcribe")).run(heard, lines)
    assert silent.probabilities == []
    assert len(spoken.starts) == 3


def hooks(model: Whisper) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()
    )


def test_no_hook_is_left_on_the_model_when_the_aligner_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny.model()
    engine = tiny.engine(model, word_timestamps=True)

    def fail(*_: object) -> None:
        raise RuntimeError("device lost")

    monkeypatch.setattr(TextDecoder, "logits", fail)
    with pytest.raises(RuntimeError, match="device lost"):
        engine.decode(tiny.noise(1.0), ["en"])
    assert hooks(model) == 0
