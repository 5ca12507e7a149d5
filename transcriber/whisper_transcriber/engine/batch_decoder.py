"""One batch of windows from samples to phrases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
import whisper  # type: ignore[import-untyped]
from torch import Tensor
from whisper.audio import SAMPLE_RATE  # type: ignore[import-untyped]
from whisper.model import Whisper  # type: ignore[import-untyped]
from whisper.utils import compression_ratio  # type: ignore[import-untyped]

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine import spectrogram
from whisper_transcriber.engine.alignment import Aligner, Line
from whisper_transcriber.engine.beam_search import BeamSearch
from whisper_transcriber.engine.decoder import KVCache, TextDecoder
from whisper_transcriber.engine.graphs import GraphedDecoder
from whisper_transcriber.engine.loop import DecodedTokens, Loop
from whisper_transcriber.engine.protocol import DecodedSegment, DecodingResult
from whisper_transcriber.engine.rules import TextRules, TimestampRules
from whisper_transcriber.engine.segments import phrases
from whisper_transcriber.engine.spectrogram import own_positions
from whisper_transcriber.engine.vocabulary import Vocabulary
from whisper_transcriber.engine.words import with_words

_NEARLY_FULL = 4
"""A result within so many tokens of the limit was looping (measured)."""


@dataclass(frozen=True)
class AudioWindow:
    """A window to be decoded, at 16 kHz, and the code of its language."""

    samples: Waveform
    language: str


class BatchDecoder:
    """One model and what was built around it.

    ``beams``: 1 for the batched loop. ``dtype``: the precision that the model is run in.
    ``aligned``: the model writes no timestamps; times are those of the words. ``graphs``: see
    GraphedDecoder.
    """

    def __init__(
        self,
        model: Whisper,
        vocabulary: Vocabulary,
        dtype: torch.dtype,
        *,
        beams: int,
        aligned: bool,
        word_timestamps: bool,
        graphs: bool,
    ) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._dtype = dtype
        self._decoder = GraphedDecoder(model, dtype, beams) if graphs else TextDecoder(model, dtype)
        self.aligned = aligned
        rules = (
            TextRules(vocabulary, model.device)
            if aligned
            else TimestampRules(vocabulary, model.dims.n_audio_ctx, model.device)
        )
        self._loop = Loop(self._decoder, vocabulary, rules)
        self._beams = BeamSearch(self._decoder, vocabulary, rules, beams) if beams > 1 else None
        timed = aligned or word_timestamps
        self._aligner = Aligner(model, self._decoder, vocabulary) if timed else None

    def languages(self, windows: Sequence[Waveform], frames: int) -> list[Mapping[str, float]]:
        """For each window, the probability of each language code."""
        _, probabilities = whisper.detect_language(self._model, self._encode(windows, frames))
        return list(probabilities)

    def decode(
        self, windows: Sequence[AudioWindow], frames: int, temperature: float, seed: int
    ) -> list[DecodingResult]:
        """What is said in each window; ``frames`` of 10 ms are encoded for each."""
        features = self._encode([window.samples for window in windows], frames)
        heard = self._decoder.hear(features)
        openings = [
            self._vocabulary.opening(window.language, timestamps=not self.aligned)
            for window in windows
        ]
        if self._beams and temperature == 0:
            said = self._beams.run(heard, openings)
        else:
            said = self._loop.run(heard, openings, temperature, seed)
        spoken = [self._phrases(each.tokens) for each in said]
        if self._aligner:
            spoken = self._timed(self._aligner, heard, windows, spoken)
        return [
            self._decoded(each, found, temperature)
            for each, found in zip(said, spoken, strict=True)
        ]

    def release(self) -> None:
        """Give back the memory that is kept between batches."""
        self._decoder.release()

    def _encode(self, windows: Sequence[Waveform], frames: int) -> Tensor:
        mels = spectrogram.log_mel(windows, frames, self._model)
        return spectrogram.encode(self._model, mels, self._dtype)

    def _phrases(self, tokens: Sequence[int]) -> tuple[DecodedSegment, ...]:
        return phrases(
            tokens,
            end_of_text=self._vocabulary.end,
            first_timestamp=self._vocabulary.first_timestamp,
            to_text=self._vocabulary.to_text,
        )

    def _timed(
        self,
        aligner: Aligner,
        heard: KVCache,
        windows: Sequence[AudioWindow],
        spoken: Sequence[tuple[DecodedSegment, ...]],
    ) -> list[tuple[DecodedSegment, ...]]:
        texts = [[self._vocabulary.text_of(each.tokens) for each in found] for found in spoken]
        lines = [
            Line(
                window.language,
                [*chain(*text)],
                own_positions(window.samples, heard.filled),
            )
            for window, text in zip(windows, texts, strict=True)
        ]
        return [
            with_words(
                found,
                text,
                times,
                self._vocabulary.words_in(window.language),
                len(window.samples) / SAMPLE_RATE,
            )
            for found, text, times, window in zip(
                spoken, texts, aligner.run(heard, lines), windows, strict=True
            )
        ]

    def _decoded(
        self, said: DecodedTokens, found: tuple[DecodedSegment, ...], temperature: float
    ) -> DecodingResult:
        return DecodingResult(
            phrases=found,
            exhausted=len(said.tokens) >= self._vocabulary.room // 2 - _NEARLY_FULL,
            temperature=temperature,
            avg_logprob=said.avg_logprob,
            compression_ratio=compression_ratio(self._vocabulary.to_text(said.tokens).strip()),
            no_speech_prob=said.no_speech_prob,
            aligned=self.aligned,
        )
