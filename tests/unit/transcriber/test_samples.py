from pathlib import Path

import numpy as np

from whisper_transcriber.samples import Samples


def test_samples_are_read_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    np.array([0, 16384, -32768, 32767], dtype="<i2").tofile(path)
    with Samples(path) as samples:
        assert samples.count == 4
        assert samples.integers(1, 3).tolist() == [16384, -32768]
        assert samples.waveform(0, 3).tolist() == [0.0, 0.5, -1.0]
        assert samples.waveform(0, 3).dtype == np.float32


def test_a_read_past_the_end_is_short(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    np.zeros(3, dtype="<i2").tofile(path)
    with Samples(path) as samples:
        assert len(samples.integers(2, 10)) == 1
