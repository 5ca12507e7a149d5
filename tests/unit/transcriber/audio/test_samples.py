import threading
from pathlib import Path

import numpy as np
import pytest

from whisper_transcriber.audio.samples import Samples, Waveform, heard
from whisper_transcriber.audio.windows import Span, Window
from whisper_transcriber.errors import MediaInvalid

VALUES = [0, 16384, -32768, 32767]


def written(path: Path, values: list[int]) -> Samples:
    """Samples of a decoder that is done at once."""
    return Samples(path, lambda: np.array(values, dtype="<i2").tofile(path))


class Decoder:
    """Writes samples when it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended = threading.Event()
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.ended.wait(10)
        if self.error:
            raise self.error

    def write(self, *values: int) -> None:
        with self.path.open("ab") as file:
            file.write(np.array(values, dtype="<i2").tobytes())


def test_samples_are_read_piece_by_piece(tmp_path: Path) -> None:
    samples = written(tmp_path / "samples", VALUES)
    assert samples.count == 4
    assert samples.integers(1, 3).tolist() == [16384, -32768]
    assert samples.waveform(0, 3).tolist() == [0.0, 0.5, -1.0]
    assert samples.waveform(0, 3).dtype == np.float32


def test_a_read_past_the_end_is_short(tmp_path: Path) -> None:
    assert written(tmp_path / "samples", VALUES).integers(2, 10).tolist() == VALUES[2:]


def test_the_beginning_is_read_while_the_end_is_still_to_come(tmp_path: Path) -> None:
    decoder = Decoder(tmp_path / "samples")
    samples = Samples(decoder.path, decoder)
    decoder.write(1, 2, 3)
    assert samples.integers(0, 3).tolist() == [1, 2, 3]
    assert not samples.complete
    assert samples.so_far == 3
    decoder.write(4)
    decoder.ended.set()
    assert samples.count == 4
    assert samples.complete


def test_a_read_waits_until_its_samples_are_there(tmp_path: Path) -> None:
    decoder = Decoder(tmp_path / "samples")
    waits: list[int] = []

    def waiting() -> None:
        waits.append(1)
        decoder.write(len(waits))

    samples = Samples(decoder.path, decoder, waiting)
    assert samples.integers(0, 3).tolist() == [1, 2, 3]
    decoder.ended.set()


@pytest.mark.parametrize(("asked", "there"), [(3, True), (4, False)], ids=["enough", "too many"])
def test_whether_there_are_so_many_is_known_at_the_end(
    tmp_path: Path, asked: int, there: bool
) -> None:
    assert written(tmp_path / "samples", VALUES[:3]).has(asked) is there


def test_what_the_decoder_raised_is_raised_by_every_read(tmp_path: Path) -> None:
    decoder = Decoder(tmp_path / "samples")
    samples = Samples(decoder.path, decoder)
    decoder.write(1, 2, 3)
    decoder.error = MediaInvalid("it is a poem")
    decoder.ended.set()
    for read in (lambda: samples.count, lambda: samples.has(9), lambda: samples.integers(0, 9)):
        with pytest.raises(MediaInvalid, match="it is a poem"):
            read()


def test_a_file_that_is_unlinked_can_still_be_read(tmp_path: Path) -> None:
    samples = written(tmp_path / "samples", VALUES)
    assert samples.count == 4
    (tmp_path / "samples").unlink()
    assert samples.integers(0, 4).tolist() == VALUES


@pytest.mark.parametrize(
    ("joined", "expected"),
    [
        pytest.param(False, [5.0, 6.0, 7.0, 8.0, 9.0], id="all of it"),
        pytest.param(True, [5.0, 6.0, 9.0], id="without the pause"),
    ],
)
def test_what_a_model_hears_of_a_window(joined: bool, expected: list[float]) -> None:
    window = Window(item=3, start=5, stop=10, speech=(Span(5, 7), Span(9, 10)), lane=1)

    def read(item: int, start: int, stop: int, lane: int) -> Waveform:
        assert (item, lane) == (3, 1)
        return np.arange(start, stop, dtype=np.float32)

    assert heard(window, read, joined=joined).tolist() == expected
