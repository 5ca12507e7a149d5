"""A small model in CTranslate2's format, written here, becomes a checkpoint that PyTorch loads."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from whisper.model import ModelDimensions, Whisper, sinusoids

from dev import conversion
from dev.errors import DevError

WIDTH, HEADS, VOCABULARY, TEXT_POSITIONS, MELS = 8, 2, 11, 6, 5
NUMBERS = {np.dtype("float32"): 0, np.dtype("int16"): 2, np.dtype("float16"): 4}

Arrays = dict[str, np.ndarray]


def small_model() -> Arrays:
    """Random weights under CTranslate2's names: one layer on each side."""
    chance = np.random.default_rng(7)
    found: Arrays = {}

    def weights(name: str, *shape: int) -> None:
        found[f"{name}/weight"] = chance.normal(size=shape).astype(np.float16)
        found[f"{name}/bias"] = chance.normal(size=shape[0]).astype(np.float16)

    def norm(name: str) -> None:
        found[f"{name}/gamma"] = chance.normal(size=WIDTH).astype(np.float16)
        found[f"{name}/beta"] = chance.normal(size=WIDTH).astype(np.float16)

    weights("encoder/conv1", WIDTH, MELS, 3)
    weights("encoder/conv2", WIDTH, WIDTH, 3)
    found["encoder/num_heads"] = np.array(HEADS, np.int16)
    positions = chance.normal(size=(TEXT_POSITIONS, WIDTH))
    found["decoder/position_encodings/encodings"] = positions.astype(np.float16)
    embeddings = chance.normal(size=(VOCABULARY, WIDTH))
    found["decoder/embeddings/weight"] = embeddings.astype(np.float16)
    for side in ("encoder", "decoder"):
        norm(f"{side}/layer_norm")
        layer = f"{side}/layer_0"
        weights(f"{layer}/self_attention/linear_0", 3 * WIDTH, WIDTH)
        found[f"{layer}/self_attention/linear_0/bias"][WIDTH : 2 * WIDTH] = 0
        weights(f"{layer}/self_attention/linear_1", WIDTH, WIDTH)
        norm(f"{layer}/self_attention/layer_norm")
        weights(f"{layer}/ffn/linear_0", 4 * WIDTH, WIDTH)
        weights(f"{layer}/ffn/linear_1", WIDTH, 4 * WIDTH)
        norm(f"{layer}/ffn/layer_norm")
    cross = "decoder/layer_0/attention"
    weights(f"{cross}/linear_0", WIDTH, WIDTH)
    weights(f"{cross}/linear_1", 2 * WIDTH, WIDTH)
    found[f"{cross}/linear_1/bias"][:WIDTH] = 0
    weights(f"{cross}/linear_2", WIDTH, WIDTH)
    norm(f"{cross}/layer_norm")
    return found


def write(path: Path, arrays: Arrays, version: int = 6) -> Path:
    """A model.bin as CTranslate2 writes it."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<I", 3)
    content += struct.pack("<I", len(arrays))
    for name, array in arrays.items():
        content += text(name) + struct.pack("<B", array.ndim)
        content += struct.pack(f"<{array.ndim}I", *array.shape)
        content += struct.pack("<BI", NUMBERS[array.dtype], array.nbytes) + array.tobytes()
    content += struct.pack("<I", 1)
    content += text("decoder/projection/weight") + text("decoder/embeddings/weight")
    path.write_bytes(content)
    return path


def converted(tmp_path: Path, arrays: Arrays) -> dict:
    conversion.convert(write(tmp_path / "model.bin", arrays), tmp_path / "small.pt")
    return torch.load(tmp_path / "small.pt", weights_only=True)


def test_openai_whisper_takes_the_checkpoint(tmp_path):
    made = converted(tmp_path, small_model())
    model = Whisper(ModelDimensions(**made["dims"]))
    model.load_state_dict(made["model_state_dict"], strict=True)
    assert made["dims"] == {
        "n_mels": MELS, "n_audio_ctx": 1500, "n_audio_state": WIDTH, "n_audio_head": HEADS,
        "n_audio_layer": 1, "n_vocab": VOCABULARY, "n_text_ctx": TEXT_POSITIONS,
        "n_text_state": WIDTH, "n_text_head": HEADS, "n_text_layer": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "rows"),
    [
        ("encoder.conv1.weight", "encoder/conv1/weight", slice(None)),
        ("decoder.positional_embedding", "decoder/position_encodings/encodings", slice(None)),
        ("decoder.token_embedding.weight", "decoder/embeddings/weight", slice(None)),
        ("encoder.ln_post.weight", "encoder/layer_norm/gamma", slice(None)),
        (
            "encoder.blocks.0.attn.value.weight",
            "encoder/layer_0/self_attention/linear_0/weight",
            slice(2 * WIDTH, 3 * WIDTH),
        ),
        (
            "decoder.blocks.0.cross_attn.key.weight",
            "decoder/layer_0/attention/linear_1/weight",
            slice(0, WIDTH),
        ),
        (
            "decoder.blocks.0.cross_attn.value.bias",
            "decoder/layer_0/attention/linear_1/bias",
            slice(WIDTH, 2 * WIDTH),
        ),
        ("decoder.blocks.0.mlp.2.bias", "decoder/layer_0/ffn/linear_1/bias", slice(None)),
    ],
)
def test_a_variable_keeps_its_values(tmp_path, ours, theirs, rows):
    arrays = small_model()
    state = converted(tmp_path, arrays)["model_state_dict"]
    assert np.array_equal(state[ours].numpy(), arrays[theirs][rows])


def test_the_encoders_positions_are_whispers():
    made = conversion.sinusoids(1500, 384)
    ours = np.frombuffer(made.data, np.float16).reshape(made.shape).astype(np.float32)
    assert np.abs(ours - sinusoids(1500, 384).numpy()).max() < 6e-4


def test_the_same_model_makes_the_same_bytes_that_can_be_mapped_into_memory(tmp_path):
    source = write(tmp_path / "model.bin", small_model())
    first, second = tmp_path / "first.pt", tmp_path / "second.pt"
    conversion.convert(source, first)
    conversion.convert(source, second)
    assert first.read_bytes() == second.read_bytes()
    mapped = torch.load(first, weights_only=True, mmap=True)["model_state_dict"]
    assert {tensor.data_ptr() % 64 for tensor in mapped.values()} == {0}


def test_a_model_of_another_version_is_refused(tmp_path):
    source = write(tmp_path / "model.bin", small_model(), version=7)
    with pytest.raises(DevError, match="version 7 of WhisperSpec; the converter reads version 6"):
        conversion.convert(source, tmp_path / "small.pt")


def test_a_model_that_is_cut_is_refused(tmp_path):
    source = write(tmp_path / "model.bin", small_model())
    source.write_bytes(source.read_bytes()[:-500])
    with pytest.raises(DevError, match="ends in the middle"):
        conversion.convert(source, tmp_path / "small.pt")


def without_a_norm(arrays: Arrays) -> None:
    del arrays["decoder/layer_norm/beta"]


def with_a_bias_for_keys(arrays: Arrays) -> None:
    arrays["decoder/layer_0/attention/linear_1/bias"][0] = 1


def in_float32(arrays: Arrays) -> None:
    arrays["encoder/conv1/bias"] = arrays["encoder/conv1/bias"].astype(np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_a_norm, "no variable 'decoder/layer_norm/beta'"),
        (with_a_bias_for_keys, "bias for keys"),
        (in_float32, "Only models in float16"),
    ],
    ids=["a variable is missing", "a bias for keys", "another type"],
)
def test_a_model_that_does_not_fit_is_refused_with_the_reason(tmp_path, change, message):
    arrays = small_model()
    change(arrays)
    with pytest.raises(DevError, match=message):
        converted(tmp_path, arrays)
