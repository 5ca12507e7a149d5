"""Without timestamps: whisper.decode's text, one window at a time, timed by its words."""

import pytest
import torch
import whisper  # type: ignore[import-untyped]
from whisper.decoding import DecodingOptions, DecodingResult  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.vocabulary import Vocabulary

LENGTHS = (3.0, 7.0, 1.0, 5.5, 0.4)


@torch.inference_mode()
def oracle(model: Whisper, seconds: float, options: dict[str, object]) -> DecodingResult:
    """openai-whisper may choose a timestamp here; ours must not."""
    vocabulary = Vocabulary(model, "transcribe")
    (waveform,) = (each for each in tiny.noise(*LENGTHS) if len(each) == seconds * tiny.RATE)
    (features,) = spectrogram.encode(
        model, spectrogram.log_mel([waveform], 3000, model), torch.float32
    )
    suppressed = [-1, *range(vocabulary.first_timestamp, model.dims.n_vocab)]
    return whisper.decode(
        model,
        features,
        DecodingOptions(
            language="en",
            fp16=False,
            without_timestamps=True,
            suppress_tokens=suppressed,
            **options,
        ),
    )


@pytest.mark.parametrize("vocabulary", [tiny.MULTILINGUAL, tiny.ENGLISH_ONLY])
@pytest.mark.parametrize("beams", [1, 5])
def test_the_text_is_that_of_whisper_decode_without_timestamps(vocabulary: int, beams: int) -> None:
    model = tiny.model(vocabulary)
    engine = tiny.engine(model, aligned=True, beam_size=beams)
    decoded = engine.decode(tiny.noise(*LENGTHS), ["en"] * len(LENGTHS))
    options: dict[str, object] = {"beam_size": beams} if beams > 1 else {}
    for seconds, result in zip(LENGTHS, decoded, strict=True):
        expected = oracle(model, seconds, options)
        tokens = [token for phrase in result.phrases for token in phrase.tokens]
        assert tokens == expected.tokens
        assert result.avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-4)
        assert result.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=1e-6)


def test_a_text_without_timestamps_is_one_phrase_with_its_words() -> None:
    (result,) = tiny.engine(aligned=True, beam_size=1).decode(tiny.noise(7.0), ["en"])
    assert result.aligned
    (phrase,) = result.phrases
    assert "".join(word.text for word in phrase.words) == phrase.text
    assert [token for word in phrase.words for token in word.tokens] == list(phrase.tokens)
    assert all(0 <= word.start <= word.end <= 7.0 for word in phrase.words)
