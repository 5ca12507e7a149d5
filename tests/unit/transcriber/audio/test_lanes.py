from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from whisper_transcriber.audio.lanes import HeldLane, Lane, TrackMixer, mean

VOICE = (3000 * np.sin(np.arange(48_000) / 5)).astype(np.int16)


def lane(path: Path) -> tuple[Lane, Path]:
    return Lane(path.open("wb", buffering=0).fileno(), lambda _: None), path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "samples"


def mixed(samples: NDArray[np.int16], target: Path, piece: int) -> TrackMixer:
    with target.open("wb", buffering=0) as file:
        mixer = TrackMixer(samples.shape[1], [Lane(file.fileno(), lambda _: None)])
        for first in range(0, len(samples), piece):
            mixer.write(samples[first : first + piece])
        mixer.flush()
    return mixer


@pytest.mark.parametrize("piece", [1000, 16_001, 99_999])
def test_opposite_channels_do_not_cancel_out_however_they_arrive(target: Path, piece: int) -> None:
    mixer = mixed(np.stack((VOICE, -VOICE), axis=1), target, piece)
    np.testing.assert_array_equal(np.abs(np.fromfile(target, "<i2")), np.abs(VOICE))
    (warning,) = mixer.warnings()
    assert (warning.kind, warning.start, warning.seconds) == ("cancelledMix", 0.0, 3.0)


def test_only_the_second_that_cancels_is_replaced(target: Path) -> None:
    right = VOICE.copy()
    right[16_000:32_000] *= -1
    mixer = mixed(np.stack((VOICE, right), axis=1), target, 5000)
    np.testing.assert_array_equal(np.fromfile(target, "<i2"), VOICE)
    (warning,) = mixer.warnings()
    assert (warning.start, warning.seconds) == (1.0, 1.0)


@pytest.mark.parametrize("right", [VOICE, np.roll(VOICE, 3), np.zeros_like(VOICE)])
def test_other_channels_are_the_mean_of_both(right: NDArray[np.int16]) -> None:
    mono, cancelled = mean(np.stack((VOICE, right), axis=1))
    assert not cancelled
    np.testing.assert_allclose(mono, (VOICE.astype(int) + right) / 2, atol=1)


def test_a_silent_track_leaves_no_trace(target: Path) -> None:
    with target.open("wb", buffering=0) as file:
        held = HeldLane(Lane(file.fileno(), lambda _: None))
        held.write(np.zeros(1000, np.int16))
        held.silence(500)
        assert (held.position, held.is_silent, target.stat().st_size) == (1500, True, 0)
        held.write(VOICE)
    np.testing.assert_array_equal(np.fromfile(target, "<i2")[1500:], VOICE)
    assert not np.fromfile(target, "<i2")[:1500].any()
