"""A Whisper model of CTranslate2's as a checkpoint of openai-whisper's.

The checkpoint has no alignment heads: openai-whisper knows them by the model's name.
"""

import math
import struct
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path

from dev import checkpoint, ctranslate2
from dev.checkpoint import Tensor
from dev.ctranslate2 import FLOAT16, Variable
from dev.errors import DevError

AUDIO_POSITIONS = 1500

Model = Mapping[str, Variable]


def convert(source: Path, target: Path) -> None:
    """Write the model.bin `source` as the checkpoint `target`; DevError if it is not Whisper's."""
    model = ctranslate2.read(source)
    try:
        state = dict(_tensors(model))
        dims = _dims(model, state)
    except KeyError as error:
        raise DevError(f"{source} has no variable {error}: it is not a Whisper model.") from None
    checkpoint.write(target, dims, state)


def _tensors(model: Model) -> Iterator[tuple[str, Tensor]]:
    for conv in ("conv1", "conv2"):
        yield from _weights(model, f"encoder.{conv}", f"encoder/{conv}")
    (width,) = model["encoder/conv1/bias"].shape
    yield "encoder.positional_embedding", sinusoids(AUDIO_POSITIONS, width)
    positions = _tensor(model["decoder/position_encodings/encodings"])
    yield "decoder.positional_embedding", Tensor(positions.shape[-2:], positions.data)
    yield "decoder.token_embedding.weight", _tensor(model["decoder/embeddings/weight"])
    yield from _norm(model, "encoder.ln_post", "encoder/layer_norm")
    yield from _norm(model, "decoder.ln", "decoder/layer_norm")
    for side in ("encoder", "decoder"):
        for number in range(_layers(model, side)):
            yield from _block(model, side, f"{side}.blocks.{number}", f"{side}/layer_{number}")


def _block(model: Model, side: str, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    yield from _self_attention(model, f"{ours}.attn", f"{theirs}/self_attention")
    yield from _norm(model, f"{ours}.attn_ln", f"{theirs}/self_attention/layer_norm")
    if side == "decoder":
        yield from _cross_attention(model, f"{ours}.cross_attn", f"{theirs}/attention")
        yield from _norm(model, f"{ours}.cross_attn_ln", f"{theirs}/attention/layer_norm")
    yield from _norm(model, f"{ours}.mlp_ln", f"{theirs}/ffn/layer_norm")
    for index, layer in ((0, "linear_0"), (2, "linear_1")):
        yield from _weights(model, f"{ours}.mlp.{index}", f"{theirs}/ffn/{layer}")


def _self_attention(model: Model, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    """Query, key and value are one matrix there."""
    yield from _projections(model, ours, f"{theirs}/linear_0", ("query", "key", "value"))
    yield from _weights(model, f"{ours}.out", f"{theirs}/linear_1")


def _cross_attention(model: Model, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    """Key and value are one matrix there."""
    yield from _weights(model, f"{ours}.query", f"{theirs}/linear_0")
    yield from _projections(model, ours, f"{theirs}/linear_1", ("key", "value"))
    yield from _weights(model, f"{ours}.out", f"{theirs}/linear_2")


def _projections(
    model: Model, ours: str, theirs: str, names: tuple[str, ...]
) -> Iterator[tuple[str, Tensor]]:
    weights = model[f"{theirs}/weight"].split(len(names))
    biases = model[f"{theirs}/bias"].split(len(names))
    for name, weight, bias in zip(names, weights, biases, strict=True):
        yield f"{ours}.{name}.weight", _tensor(weight)
        if name != "key":
            yield f"{ours}.{name}.bias", _tensor(bias)
        elif any(bias.data):
            raise DevError(f"{theirs} has a bias for keys, for which openai-whisper has no place.")


def _weights(model: Model, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    for part in ("weight", "bias"):
        yield f"{ours}.{part}", _tensor(model[f"{theirs}/{part}"])


def _norm(model: Model, ours: str, theirs: str) -> Iterator[tuple[str, Tensor]]:
    yield f"{ours}.weight", _tensor(model[f"{theirs}/gamma"])
    yield f"{ours}.bias", _tensor(model[f"{theirs}/beta"])


def _tensor(variable: Variable) -> Tensor:
    if variable.kind != FLOAT16:
        raise DevError("Only models in float16 can be converted, and this one is in another type.")
    return Tensor(variable.shape, variable.data)


def sinusoids(length: int, channels: int) -> Tensor:
    """whisper.model.sinusoids(length, channels) in float16; in float32 on the way, as there."""
    half = channels // 2
    (step,) = array("f", [math.log(10000) / (half - 1)])
    exponents = array("f", [-step * number for number in range(half)])
    scales = array("f", map(math.exp, exponents))
    data = bytearray()
    for position in range(length):
        angles = array("f", [position * scale for scale in scales])
        row = array("f", [*map(math.sin, angles), *map(math.cos, angles)])
        data += struct.pack(f"<{channels}e", *row)
    return Tensor((length, channels), bytes(data))


def _layers(model: Model, side: str) -> int:
    return sum(f"{side}/layer_{number}/ffn/linear_0/weight" in model for number in range(100))


def _dims(model: Model, state: Mapping[str, Tensor]) -> dict[str, int]:
    """openai-whisper's ModelDimensions."""
    vocabulary, width = state["decoder.token_embedding.weight"].shape
    heads = int.from_bytes(model["encoder/num_heads"].data, "little")
    return {
        "n_mels": state["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": AUDIO_POSITIONS,
        "n_audio_state": width,
        "n_audio_head": heads,
        "n_audio_layer": _layers(model, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": width,
        "n_text_head": heads,
        "n_text_layer": _layers(model, "decoder"),
    }
