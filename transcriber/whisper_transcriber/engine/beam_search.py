"""Beam search: whisper.decode's own, on windows that are encoded already."""

import torch
from torch import Tensor
from whisper.decoding import DecodingOptions, DecodingTask  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]

from whisper_transcriber.engine.loop import DecodedTokens
from whisper_transcriber.engine.vocabulary import Vocabulary


class _EncodedTask(DecodingTask):  # type: ignore[misc]
    """A DecodingTask that takes the encoder's output, of any length, for the spectrogram."""

    def _get_audio_features(self, mel: Tensor) -> Tensor:
        return mel


class BeamSearch:
    """Follows the likeliest ``size`` candidates of a window, one window at a time."""

    def __init__(self, model: Whisper, vocabulary: Vocabulary, size: int) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._size = size

    def run(self, features: Tensor, language: str) -> DecodedTokens:
        """What is said in one window.

        Args:
            features: encoded, (1, positions, state).
            language: a code that the model knows.
        """
        options = DecodingOptions(
            task=self._vocabulary.task,
            language=language,
            beam_size=self._size,
            prompt=self._vocabulary.prompt or None,
            fp16=features.dtype == torch.float16,
        )
        (result,) = _EncodedTask(self._model, options).run(features)
        return DecodedTokens(tuple(result.tokens), result.avg_logprob, result.no_speech_prob)
