"""A checkpoint file to a model on the best device that there is.

The weights are mapped from the file, and become the model's own: nothing is initialised at random
and copied over. Only what another precision is needed for takes memory of its own.
"""

import logging
import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from whisper import _ALIGNMENT_HEADS  # type: ignore[import-untyped]
from whisper.audio import N_FRAMES  # type: ignore[import-untyped]
from whisper.model import ModelDimensions, Whisper  # type: ignore[import-untyped]

from whisper_transcriber.engine.halving import is_out_of_memory
from whisper_transcriber.engine.spectrogram import POSITION_FRAMES
from whisper_transcriber.errors import ModelInvalid, OutOfMemory

log = logging.getLogger(__name__)

_MELS = (80, 128)
"""The spectrograms that openai-whisper has filters for (whisper.audio.mel_filters)."""

_SMALLEST_VOCABULARY = 51864
"""English only (whisper.model.Whisper.is_multilingual)."""


def load(checkpoint: Path, label: str) -> Whisper:
    """A model in openai-whisper's format, weights only: no code in the file ever runs.

    Args:
        checkpoint: a local file.
        label: what the user calls the model: an official name, or the file's own.

    Raises:
        ModelInvalid: it is not such a checkpoint.
        OutOfMemory: the GPU has no room for the weights.
    """
    try:
        # Checkpoints from before torch 1.6 are no archives, and cannot be mapped.
        content = torch.load(
            checkpoint,
            map_location="cpu",
            weights_only=True,
            mmap=zipfile.is_zipfile(checkpoint),
        )
        model = _build(content)
    except (
        pickle.UnpicklingError, AttributeError, EOFError, KeyError, RuntimeError, TypeError,
        ValueError, ZeroDivisionError,
    ) as error:  # fmt: skip
        log.warning("loading %r failed", label, exc_info=True)
        raise ModelInvalid(
            f"the model {label!r} is not a checkpoint in openai-whisper's format "
            f"({type(error).__name__})"
        ) from error
    _set_alignment_heads(model, label.removesuffix(".pt"))
    if torch.cuda.is_available():
        halve(model)
        _to_gpu(model, label)
    else:
        model.float()
    return model.eval()


def halve(model: Whisper) -> None:
    """Keep in float16 what Whisper casts to it at each step: all but norms and embeddings."""
    for module in model.modules():
        half = isinstance(module, nn.Linear | nn.Conv1d)
        dtype = torch.float16 if half else torch.float32
        for own in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if own.is_floating_point():
                own.data = own.data.to(dtype)


def _to_gpu(model: Whisper, label: str) -> None:
    try:
        model.to("cuda")
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"The GPU has too little free memory for the weights of the model {label!r}. "
            "Use a smaller model or a GPU with more memory."
        ) from error


def _build(content: Any) -> Whisper:
    dims = ModelDimensions(**content["dims"])
    if (
        dims.n_mels not in _MELS
        or dims.n_vocab < _SMALLEST_VOCABULARY
        or dims.n_audio_ctx != N_FRAMES // POSITION_FRAMES
    ):
        raise ValueError(f"these are not a Whisper model's dimensions: {dims}")
    with _Uninitialised():
        model = Whisper(dims)
    model.load_state_dict(content["model_state_dict"], assign=True)
    return model


class _Uninitialised(TorchFunctionMode):
    """Leaves the parameters of modules that are made under it as they are: unwritten memory."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if getattr(func, "__module__", None) == "torch.nn.init":
            return named["tensor"] if "tensor" in named else args[0]
        return func(*args, **named)


def _set_alignment_heads(model: Whisper, name: str) -> None:
    """Tell an official model which of its heads follow the sound: the file itself does not.

    Others time words by the last half of their layers, as openai-whisper has it.
    """
    if name in _ALIGNMENT_HEADS:
        try:
            model.set_alignment_heads(_ALIGNMENT_HEADS[name])
        except RuntimeError:
            log.info("a model of your own goes by the official name %r", name)
