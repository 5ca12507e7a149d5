"""An openai-whisper checkpoint to what faster-whisper loads, without transformers.

The names on the left are CTranslate2's (ctranslate2.specs.whisper_spec), those in quotes
openai-whisper's (whisper.model).
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ctranslate2.specs import whisper_spec
from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Converted
from whisper.tokenizer import Tokenizer, get_tokenizer

from dev import files
from dev.paths import CACHE

VERSION = 1
_SPACE = 220
"""The token of a lone space, which Whisper never begins with."""

State = dict[str, Any]


def converted(checkpoint: Path) -> Path:
    """The folder of the converted model, made unless it is there."""
    folder = CACHE / "benchmarks" / f"ct2-{files.digest(files.sha256(checkpoint), str(VERSION))}"
    if not folder.exists():
        with files.made_whole(folder) as scratch:
            scratch.mkdir()
            _convert(checkpoint, scratch)
    return folder


def _convert(checkpoint: Path, folder: Path) -> None:
    loaded = torch.load(checkpoint, map_location="cpu", weights_only=True)
    dims = loaded["dims"]
    state = {key: value.float().numpy() for key, value in loaded["model_state_dict"].items()}
    tokenizer = get_tokenizer(
        multilingual=True, num_languages=dims["n_vocab"] - 51765 - 1, language="en",
        task="transcribe",
    )  # fmt: skip
    spec = whisper_spec.WhisperSpec(
        dims["n_audio_layer"], dims["n_audio_head"], dims["n_text_layer"], dims["n_text_head"]
    )
    _encoder(spec.encoder, state)
    _decoder(spec.decoder, state)
    _settings(spec.config, tokenizer, dims)
    spec.register_vocabulary(_vocabulary(tokenizer, dims["n_vocab"]))
    spec.validate()
    spec.optimize(quantization=None)
    spec.save(str(folder))
    features = {"feature_size": dims["n_mels"], "sampling_rate": 16000, "hop_length": 160}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**features, "chunk_length": 30, "n_fft": 400})
    )
    _tokenizer(tokenizer).save(str(folder / "tokenizer.json"))


def _norm(target: Any, state: State, name: str) -> None:
    target.gamma, target.beta = state[f"{name}.weight"], state[f"{name}.bias"]


def _linear(target: Any, state: State, name: str) -> None:
    target.weight, target.bias = state[f"{name}.weight"], state[f"{name}.bias"]


def _attention(target: Any, state: State, name: str, *, itself: bool) -> None:
    query, key, value = (state[f"{name}.{part}.weight"] for part in ("query", "key", "value"))
    query_bias, value_bias = state[f"{name}.query.bias"], state[f"{name}.value.bias"]
    # Whisper's keys have no bias; CTranslate2 joins the projections, and wants one.
    key_bias = np.zeros_like(query_bias)
    inputs, *others = target.linear
    if itself:
        inputs.weight = np.concatenate([query, key, value])
        inputs.bias = np.concatenate([query_bias, key_bias, value_bias])
    else:
        inputs.weight, inputs.bias = query, query_bias
        others[0].weight = np.concatenate([key, value])
        others[0].bias = np.concatenate([key_bias, value_bias])
    _linear(others[-1], state, f"{name}.out")


def _layer(target: Any, state: State, name: str, *, hears: bool) -> None:
    _attention(target.self_attention, state, f"{name}.attn", itself=True)
    _norm(target.self_attention.layer_norm, state, f"{name}.attn_ln")
    if hears:
        _attention(target.attention, state, f"{name}.cross_attn", itself=False)
        _norm(target.attention.layer_norm, state, f"{name}.cross_attn_ln")
    _linear(target.ffn.linear_0, state, f"{name}.mlp.0")
    _linear(target.ffn.linear_1, state, f"{name}.mlp.2")
    _norm(target.ffn.layer_norm, state, f"{name}.mlp_ln")


def _encoder(target: Any, state: State) -> None:
    _linear(target.conv1, state, "encoder.conv1")
    _linear(target.conv2, state, "encoder.conv2")
    target.position_encodings.encodings = state["encoder.positional_embedding"]
    _norm(target.layer_norm, state, "encoder.ln_post")
    for number, layer in enumerate(target.layer):
        _layer(layer, state, f"encoder.blocks.{number}", hears=False)


def _decoder(target: Any, state: State) -> None:
    embedding = state["decoder.token_embedding.weight"]
    target.embeddings.weight = target.projection.weight = embedding
    target.scale_embeddings = False
    target.position_encodings.encodings = state["decoder.positional_embedding"]
    _norm(target.layer_norm, state, "decoder.ln")
    for number, layer in enumerate(target.layer):
        _layer(layer, state, f"decoder.blocks.{number}", hears=True)


def _settings(target: Any, tokenizer: Tokenizer, dims: dict[str, int]) -> None:
    special = ("transcribe", "translate", "sot", "sot_prev", "sot_lm", "no_speech")
    target.suppress_ids = [
        *tokenizer.non_speech_tokens, *(getattr(tokenizer, name) for name in special)
    ]  # fmt: skip
    target.suppress_ids_begin = [_SPACE, tokenizer.eot]
    target.lang_ids = list(tokenizer.all_language_tokens)
    layers = dims["n_text_layer"]
    target.alignment_heads = [
        (layer, head) for layer in range(layers // 2, layers) for head in range(dims["n_text_head"])
    ]


def _vocabulary(tokenizer: Tokenizer, size: int) -> list[str]:
    special = {number: name for name, number in tokenizer.encoding._special_tokens.items()}
    return [
        special.get(number) or _readable(tokenizer.encoding.decode_single_token_bytes(number))
        for number in range(size)
    ]


def _tokenizer(tokenizer: Tokenizer) -> Converted:
    """The tokenizer.json that faster-whisper wants: byte-level BPE from tiktoken's ranks."""
    encoding = tokenizer.encoding
    ranks: dict[bytes, int] = encoding._mergeable_ranks
    vocabulary = {_readable(token): rank for token, rank in ranks.items()}
    made = Converted(models.BPE(vocab=vocabulary, merges=list(_merges(ranks))))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = sorted(encoding._special_tokens, key=encoding._special_tokens.__getitem__)
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return made


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[str, str]]:
    """The two tokens that each token was merged from, in the order of the merges."""
    for token in sorted(ranks, key=ranks.__getitem__):
        pair = _pair(token, ranks)
        if len(pair) == 2:
            yield _readable(pair[0]), _readable(pair[1])


def _pair(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    parts = [token[place : place + 1] for place in range(len(token))]
    while len(parts) > 2:
        candidates = (ranks.get(a + b, len(ranks)) for a, b in pairwise(parts))
        rank, place = min((rank, place) for place, rank in enumerate(candidates))
        if rank >= ranks[token]:
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


def _readable(token: bytes) -> str:
    return "".join(_LETTERS[byte] for byte in token)


def _letters() -> dict[int, str]:
    """GPT-2's letter for each byte: printable ones stand for themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {
        **{byte: chr(byte) for byte in printable},
        **{byte: chr(256 + number) for number, byte in enumerate(rest)},
    }


_LETTERS = _letters()
