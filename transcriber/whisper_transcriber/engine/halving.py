"""Out of the GPU's memory: smaller batches before giving up."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from whisper_transcriber.errors import OutOfMemory

log = logging.getLogger(__name__)

_Window = TypeVar("_Window")
_Result = TypeVar("_Result")


def halving(
    work: Callable[[Sequence[_Window]], list[_Result]], windows: Sequence[_Window]
) -> list[_Result]:
    """A result for each window, of as large batches as fit.

    Raises:
        OutOfMemory: one window alone is too much for the device.
    """
    try:
        return work(windows)
    except torch.cuda.OutOfMemoryError:
        pass  # left to the code below: here the traceback still holds the batch in memory
    torch.cuda.empty_cache()
    if len(windows) == 1:
        raise OutOfMemory("the GPU's memory does not suffice for one window of this model")
    log.warning("out of GPU memory with %d windows: halving", len(windows))
    half = len(windows) // 2
    return halving(work, windows[:half]) + halving(work, windows[half:])
