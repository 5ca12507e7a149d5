from pathlib import Path

import numpy as np

from tests.benchmarks.random_model import STEPS, Size
from tests.benchmarks.random_weights import _peer, checkpoint


def test_random_weights_never_say_that_they_are_done(tmp_path: Path):
    path = tmp_path / "toy.pt"
    checkpoint(Size("toy", state=64, heads=2, audio_layers=1, text_layers=2), path)
    noise = np.random.default_rng(2).standard_normal((2, 16_000), np.float32)
    said = _peer(path)(list(noise))
    assert [len(tokens) for tokens in said] == [STEPS, STEPS]
