"""transformers' Whisper on the same GPU: random weights, as many tokens, half precision."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from tests.benchmarks.random_model import STEPS, WINDOW_SECONDS, Size

Json = dict[str, Any]
_ENGLISH = (50258, 50259, 50360)
_ROUNDS = 3


def measure(size: Size, windows: Sequence[Any], *, compiled: bool) -> Json:
    """Audio seconds a second, with its defaults, or with a static cache and compiled."""
    import transformers
    from transformers import (
        GenerationMixin,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
    )

    dims, device = size.dims, "cuda" if torch.cuda.is_available() else "cpu"
    config = WhisperConfig(
        vocab_size=size.vocabulary, d_model=size.state, num_mel_bins=size.mels,
        encoder_layers=size.audio_layers, decoder_layers=size.text_layers,
        encoder_attention_heads=size.heads, decoder_attention_heads=size.heads,
        encoder_ffn_dim=4 * size.state, decoder_ffn_dim=4 * size.state,
        max_target_positions=max(dims["n_text_ctx"], STEPS + 8), attn_implementation="sdpa",
    )  # fmt: skip
    dtype = torch.float16 if device == "cuda" else torch.float32
    with torch.device(device):
        model = WhisperForConditionalGeneration(config).to(dtype).eval()
    extractor = WhisperFeatureExtractor(feature_size=size.mels)
    found: Json = {"transformers": transformers.__version__}

    def run(**options: Any) -> None:
        features = extractor(
            list(windows), sampling_rate=16_000, return_tensors="pt", device=device
        ).input_features.to(device, dtype)
        opening = torch.tensor([_ENGLISH] * len(windows), device=device)
        # GenerationMixin's own: Whisper's needs the settings of real weights.
        said = GenerationMixin.generate(
            model, input_features=features, decoder_input_ids=opening, do_sample=False,
            max_new_tokens=STEPS, eos_token_id=None, pad_token_id=50257, **options,
        )  # fmt: skip
        if said.shape[1] != STEPS + len(_ENGLISH):
            raise ValueError(f"{said.shape[1]} tokens a window")

    if not compiled:
        return found | _timed(run, len(windows))
    model.forward = torch.compile(model.forward, mode="reduce-overhead", fullgraph=True)
    return found | _timed(lambda: run(cache_implementation="static"), len(windows))


@torch.inference_mode()
def _timed(run: Any, windows: int) -> Json:
    began = time.monotonic()
    run()
    first = time.monotonic() - began
    seconds = []
    for _ in range(_ROUNDS):
        began = time.monotonic()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.monotonic() - began)
    best = sorted(seconds)[_ROUNDS // 2]
    return {
        "first_seconds": first,
        "seconds": best,
        "real_time": windows * WINDOW_SECONDS / best,
        "batch": windows,
    }
