import weakref
from collections.abc import Sequence

import pytest
import torch

from whisper_transcriber.engine.halving import Halving
from whisper_transcriber.errors import OutOfMemory


class Device:
    """With room for so many windows; remembers the batches that were tried."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []
        self.batches: list[weakref.ref[torch.Tensor]] = []

    def work(self, windows: Sequence[str]) -> list[str]:
        assert not any(batch() is not None for batch in self.batches), "a batch is still in memory"
        batch = torch.zeros(len(windows))
        self.batches.append(weakref.ref(batch))
        self.tried.append(len(windows))
        if len(batch) > self.room:
            raise torch.cuda.OutOfMemoryError("too much")
        return [window.upper() for window in windows]


@pytest.mark.parametrize(
    ("room", "tried"),
    [
        pytest.param(5, [5], id="it fits"),
        pytest.param(3, [5, 3, 2], id="halves fit"),
        pytest.param(1, [5, 3, 2, 1, 1, 1, 1, 1], id="one by one"),
    ],
)
def test_batches_get_smaller_until_they_fit(room: int, tried: list[int]) -> None:
    device = Device(room)
    assert Halving(lambda: None).run(device.work, "abcde") == list("ABCDE")
    assert device.tried == tried


def test_the_size_that_fitted_is_remembered_for_the_batches_that_follow() -> None:
    device, halving = Device(2), Halving(lambda: None)
    halving.run(device.work, "abcd")
    device.tried.clear()
    assert halving.run(device.work, "efgh") == list("EFGH")
    assert device.tried == [2, 2]


def test_one_window_that_does_not_fit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(OutOfMemory, match="one window with this model") as raised:
        Halving(lambda: None).run(Device(0).work, "ab")
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ],
)
def test_a_library_that_cannot_allocate_is_out_of_memory(message: str) -> None:
    def work(windows: Sequence[str]) -> list[str]:
        if len(windows) > 1:
            raise RuntimeError(message)
        return list(windows)

    assert Halving(lambda: None).run(work, "ab") == ["a", "b"]


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def work(windows: Sequence[str]) -> list[str]:
        raise RuntimeError("CUDA error: device-side assert triggered")

    with pytest.raises(RuntimeError, match="device-side assert"):
        Halving(lambda: None).run(work, "ab")


def test_a_size_that_fitted_before_is_tried_once_more_without_what_was_kept() -> None:
    """What is kept between batches grows: the batch is not to blame."""
    kept = ["something"]

    def work(windows: Sequence[str]) -> list[str]:
        if kept and windows[0] == "c":
            raise RuntimeError("CUDA out of memory")
        return list(windows)

    halving = Halving(kept.clear)
    assert halving.run(work, "ab") == ["a", "b"]
    assert halving.run(work, "cd") == ["c", "d"]
    tried: list[int] = []

    def count(windows: Sequence[str]) -> list[str]:
        tried.append(len(windows))
        return list(windows)

    halving.run(count, "ef")
    assert tried == [2]
