"""Waveforms to what the text decoder listens to: spectrograms and their encoding."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from whisper.audio import (  # type: ignore[import-untyped]
    FRAMES_PER_SECOND,
    HOP_LENGTH,
    SAMPLE_RATE,
    log_mel_spectrogram,
)
from whisper.model import AudioEncoder, Whisper  # type: ignore[import-untyped]

from transcription_contract.decoding import AudioContext
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.engine.precision import in_precision

BEYOND_WINDOW_SECONDS = 5
"""Encoded after the longest window with audioContext: window. Measured with the demo model: 72 of
76 windows keep their tokens; with 1 s or less it loops."""

POSITION_FRAMES = 2
"""Spectrogram frames in one position of the encoder."""

AT_ONCE_CPU = 2
"""Windows encoded at once: on a CPU 2 to 4 are 12-17 % faster than 16 (measured)."""

AT_ONCE_GPU = 16


def context_frames(windows: Sequence[Waveform], context: AudioContext, model: Whisper) -> int:
    """Frames to encode for each window of a batch: 10 ms each, whole seconds."""
    full: int = model.dims.n_audio_ctx * POSITION_FRAMES
    if context == AudioContext.FULL:
        return full
    longest = max(map(len, windows))
    seconds = -(-longest // int(SAMPLE_RATE)) + BEYOND_WINDOW_SECONDS
    return min(full, seconds * int(FRAMES_PER_SECOND))


def own_positions(window: Waveform, encoded: int) -> int:
    """How many of the encoder's positions are the window's own, the rest being padding."""
    return max(1, min(encoded, len(window) // int(HOP_LENGTH) // POSITION_FRAMES))


def log_mel(windows: Sequence[Waveform], frames: int, model: Whisper) -> Tensor:
    """Log-mel spectrograms, (windows, mels, frames).

    Padded with zeros after the logarithm: padding the samples with silence invites loops
    (measured: word error rate .105 against .088).
    """
    longest = max(map(len, windows))
    samples = torch.zeros(len(windows), longest)
    for row, window in zip(samples, windows, strict=True):
        row[: len(window)] = torch.from_numpy(window)
    samples = samples.to(model.device)
    mels = torch.zeros(len(windows), model.dims.n_mels, frames, device=model.device)
    for mel, row, window in zip(mels, samples, windows, strict=True):
        spectrogram = log_mel_spectrogram(row[: len(window)], model.dims.n_mels)[:, :frames]
        mel[:, : spectrogram.shape[1]] = spectrogram
    return mels


def encode(model: Whisper, mels: Tensor, dtype: torch.dtype) -> Tensor:
    """The encoder's output, (windows, positions, state), for as many frames as there are."""
    at_once = AT_ONCE_CPU if mels.device.type == "cpu" else AT_ONCE_GPU
    return torch.cat(
        [_forward(model.encoder, each) for each in torch.split(mels.to(dtype), at_once)]
    )


def _forward(encoder: AudioEncoder, mels: Tensor) -> Tensor:
    """AudioEncoder.forward without its insistence on 30 s, and in one layout.

    What comes out of the convolutions lies the other way round; left so, each sum and norm of every
    layer goes through the memory twice (large-v3 on an H200: 7.0 ms a window instead of 5.1).
    """
    x = functional.gelu(encoder.conv1(mels))
    x = functional.gelu(encoder.conv2(x)).permute(0, 2, 1)
    x = (x + encoder.positional_embedding[: x.shape[1]]).to(x.dtype).contiguous()
    for block in encoder.blocks:
        x = x + block.attn(in_precision(block.attn_ln, x.dtype)(x))[0]
        x = x + block.mlp(in_precision(block.mlp_ln, x.dtype)(x))
    return in_precision(encoder.ln_post, x.dtype)(x)
