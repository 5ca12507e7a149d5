"""Whisper models of random weights: they babble, but by the rules, and stop now and then."""

import numpy as np
import torch
from whisper.model import ModelDimensions, Whisper  # type: ignore[import-untyped]

from transcription_contract.decoding import Decoding
from transcription_contract.options import WhisperTask
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.whisper_engine import WhisperEngine

ENGLISH_ONLY = 51864
MULTILINGUAL = 51865
RATE = 16_000
_STATE = 64
_TIMESTAMPS = 1501
_END = {ENGLISH_ONLY: 50256, MULTILINGUAL: 50257}


def dimensions(vocabulary: int = MULTILINGUAL) -> ModelDimensions:
    return ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=_STATE,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=vocabulary,
        n_text_ctx=448,
        n_text_state=_STATE,
        n_text_head=2,
        n_text_layer=2,
    )


def model(vocabulary: int = MULTILINGUAL) -> Whisper:
    """Some 15 to 100 tokens for each window, depending on what is heard.

    The scales were found by trying: they make ends and timestamps as likely as that, and the text
    depend on the audio.
    """
    torch.manual_seed(0)
    whisper = Whisper(dimensions(vocabulary)).eval()
    decoder = whisper.decoder
    with torch.no_grad():
        decoder.token_embedding.weight.normal_(std=0.3)
        decoder.token_embedding.weight[_END[vocabulary]] *= 2.5
        decoder.token_embedding.weight[-_TIMESTAMPS:] *= 1.25
        decoder.positional_embedding.normal_(std=0.5)
        for block in decoder.blocks:
            for weights in block.cross_attn.parameters():
                weights *= 10
    return whisper


def engine(
    whisper: Whisper | None = None,
    *,
    task: WhisperTask = "transcribe",
    aligned: bool = False,
    word_timestamps: bool = False,
    **decoding: object,
) -> WhisperEngine:
    return WhisperEngine(
        whisper or model(),
        task=task,
        decoding=Decoding.model_validate(decoding),
        aligned=aligned,
        word_timestamps=word_timestamps,
    )


def noise(*seconds: float) -> list[Waveform]:
    """Windows of so many seconds, no two alike: noise that swells."""
    random = np.random.default_rng(1)
    lengths = [round(each * RATE) for each in seconds]
    return [
        (random.normal(size=length) * np.linspace(0, 0.3, length)).astype(np.float32)
        for length in lengths
    ]
