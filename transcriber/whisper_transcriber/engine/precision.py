"""A model's parts in the precision that they are run in."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def in_precision(norm: nn.LayerNorm, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """A layer norm of tensors of that type. Sums are in float32 all the same; weight and bias are
    rounded to the type, which changes nothing of OpenAI's checkpoints.

    whisper.model.LayerNorm makes float32 of its input and half of its output, each a pass over the
    memory of its own.
    """
    weight, bias = norm.weight.to(dtype), norm.bias.to(dtype)

    def normalise(x: Tensor) -> Tensor:
        return functional.layer_norm(x, weight.shape, weight, bias, norm.eps)

    return normalise
