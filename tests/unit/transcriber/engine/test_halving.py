import weakref
from collections.abc import Sequence

import pytest
import torch

from whisper_transcriber.engine.halving import halving
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
        pytest.param(3, [5, 2, 3], id="halves fit"),
        pytest.param(1, [5, 2, 1, 1, 3, 1, 2, 1, 1], id="one by one"),
    ],
)
def test_batches_get_smaller_until_they_fit(room: int, tried: list[int]) -> None:
    device = Device(room)
    assert halving(device.work, "abcde") == list("ABCDE")
    assert device.tried == tried


def test_one_window_that_does_not_fit_is_told() -> None:
    with pytest.raises(OutOfMemory, match="one window of this model") as raised:
        halving(Device(0).work, "ab")
    assert raised.value.__context__ is None
