import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn
from whisper import _ALIGNMENT_HEADS  # type: ignore[import-untyped]
from whisper.model import ModelDimensions, Whisper  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from whisper_transcriber.engine import checkpoint
from whisper_transcriber.errors import ModelInvalid

TINY_EN = ModelDimensions(80, 1500, 8, 6, 1, 51864, 448, 12, 6, 4)
"""As many heads and layers as the official tiny.en has, and next to no weights."""


def saved(path: Path, dims: ModelDimensions, weights: object = None) -> Path:
    state = Whisper(dims).state_dict() if weights is None else weights
    torch.save({"dims": dataclasses.asdict(dims), "model_state_dict": state}, path)
    return path


def heads(model: Whisper) -> list[list[int]]:
    found: list[list[int]] = model.alignment_heads.indices().T.tolist()
    return found


def test_a_model_is_what_was_saved(tmp_path: Path) -> None:
    model = tiny.model()
    path = saved(tmp_path / "m.pt", model.dims, model.state_dict())
    loaded = checkpoint.load(path, "m.pt").state_dict()
    assert all(torch.equal(loaded[name], weights) for name, weights in model.state_dict().items())


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("archive", [True, False], ids=["an archive", "of an old torch"])
def test_a_model_is_what_copying_into_a_fresh_one_gives(
    tmp_path: Path, stored: torch.dtype, archive: bool
) -> None:
    weights = {name: each.to(stored) for name, each in tiny.model().state_dict().items()}
    content = {"dims": dataclasses.asdict(tiny.dimensions()), "model_state_dict": weights}
    torch.save(content, tmp_path / "m.pt", _use_new_zipfile_serialization=archive)
    copied = Whisper(tiny.dimensions())
    copied.load_state_dict(weights)
    loaded = checkpoint.load(tmp_path / "m.pt", "m.pt")
    for halved in (False, True):
        if halved:
            checkpoint.halve(loaded)
            for module in copied.modules():
                if isinstance(module, nn.Linear | nn.Conv1d):
                    module.half()
        ours = dict([*loaded.named_parameters(), *loaded.named_buffers()])
        for name, expected in [*copied.named_parameters(), *copied.named_buffers()]:
            if not expected.is_sparse:
                assert ours[name].dtype == expected.dtype, name
                assert torch.equal(ours[name], expected), name
    assert heads(loaded) == heads(copied)


def test_weights_in_the_precision_that_is_needed_stay_in_the_file(tmp_path: Path) -> None:
    model = tiny.model()
    path = saved(tmp_path / "m.pt", model.dims, model.state_dict())
    first = checkpoint.load(path, "m.pt")
    assert str(path) in Path("/proc/self/maps").read_text()
    del first


@pytest.mark.parametrize("label", ["tiny.en", "tiny.en.pt"])
def test_an_official_model_has_its_own_alignment_heads(tmp_path: Path, label: str) -> None:
    official = Whisper(TINY_EN)
    official.set_alignment_heads(_ALIGNMENT_HEADS["tiny.en"])
    loaded = checkpoint.load(saved(tmp_path / "m.pt", TINY_EN), label)
    assert heads(loaded) == heads(official)


@pytest.mark.parametrize("label", ["mine.pt", "large-v3"], ids=["own name", "another's name"])
def test_other_models_are_aligned_by_the_last_half_of_their_layers(
    tmp_path: Path, label: str
) -> None:
    loaded = checkpoint.load(saved(tmp_path / "m.pt", TINY_EN), label)
    assert heads(loaded) == heads(Whisper(TINY_EN))


@pytest.mark.parametrize(
    "change", [{"n_mels": 81}, {"n_vocab": 1000}, {"n_audio_ctx": 100}], ids=str
)
def test_a_model_that_is_no_whisper_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    dims = dataclasses.replace(TINY_EN, **change)
    with pytest.raises(ModelInvalid, match=r"'mine\.pt' is not a checkpoint"):
        checkpoint.load(saved(tmp_path / "m.pt", dims, weights={}), "mine.pt")


def test_half_precision_spares_norms_and_embeddings() -> None:
    model = tiny.model()
    checkpoint.halve(model)
    full = {name for name, each in model.named_parameters() if each.dtype == torch.float32}
    assert full
    assert all("ln" in name or "embedding" in name for name in full)
    assert model.encoder.conv1.weight.dtype == torch.float16
