"""GPU memory: errors that mean that it is full, and batches that get smaller until they fit."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from whisper_transcriber.errors import OutOfMemory

log = logging.getLogger(__name__)

_Window = TypeVar("_Window")
_Result = TypeVar("_Result")

_SIGNS = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate",
    "CUDNN_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
)
"""In messages of plain RuntimeErrors: cuBLAS and cuDNN allocate memory of their own, and cannot be
set up on a full GPU."""


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of torch means that the GPU's memory is full."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in _SIGNS)


class Halving:
    """Runs batches in parts that fit into the GPU's memory, and remembers the size that fitted.

    ``release``: called when the memory was full, to give back what is kept between batches. A size
    that has fitted before is tried once more after it.
    """

    def __init__(self, release: Callable[[], None]) -> None:
        self._release = release
        self._limit: int | None = None
        self._fitted = 0

    def run(
        self, work: Callable[[Sequence[_Window]], list[_Result]], windows: Sequence[_Window]
    ) -> list[_Result]:
        """A result for each window.

        Raises:
            OutOfMemory: the memory does not suffice for one window.
        """
        results: list[_Result] = []
        while len(results) < len(windows):
            size = min(len(windows) - len(results), self._limit or len(windows))
            part = windows[len(results) : len(results) + size]
            done = _attempt(work, part)
            if done is None:
                self._release()
                torch.cuda.empty_cache()
                done = _attempt(work, part) if size <= self._fitted else None
            if done is None:
                torch.cuda.empty_cache()
                self._halve(size)
            else:
                self._fitted = max(self._fitted, size)
                results += done
        return results

    def _halve(self, size: int) -> None:
        if size == 1:
            raise OutOfMemory(
                "The GPU has too little free memory to decode one window with this model. "
                "Use a smaller model or a GPU with more memory."
            )
        self._limit, self._fitted = (size + 1) // 2, 0
        log.warning(
            "The GPU's memory does not suffice for %d windows at once; using batches of %d from "
            "now on. Set decoding.batchSize to %d to avoid the attempt.",
            size, self._limit, self._limit,
        )  # fmt: skip


def _attempt(
    work: Callable[[Sequence[_Window]], list[_Result]], windows: Sequence[_Window]
) -> list[_Result] | None:
    """The results, or None if the memory did not suffice: then nothing holds the batch any more,
    not even a traceback."""
    try:
        return work(windows)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
