import numpy as np
import pytest
from numpy.typing import NDArray

from whisper_transcriber.audio import levels

RATE = 16_000


def gain(samples: NDArray[np.int16]) -> int:
    return levels.gain(lambda start, stop: samples[start:stop], 0, len(samples))


def tone(seconds: float, amplitude: int) -> NDArray[np.int16]:
    return (amplitude * np.sin(np.arange(int(seconds * RATE)) / 5)).astype(np.int16)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (tone(60, 8000), 1),
        (tone(60, 4000), 1),
        (np.zeros(RATE, np.int16), 1),
        (np.zeros(0, np.int16), 1),
        (tone(0.5, 90), 16_384 // 89),
        (np.concatenate((np.zeros(600 * RATE, np.int16), tone(2, 90))), 16_384 // 89),
    ],
    ids=["loud", "usual", "silent", "empty", "short and quiet", "quiet after long silence"],
)
def test_quiet_recordings_alone_are_amplified(samples: NDArray[np.int16], expected: int) -> None:
    assert gain(samples) == pytest.approx(expected, rel=0.05)


def test_a_few_clicks_do_not_hide_quiet_speech() -> None:
    samples = tone(60, 90)
    samples[:: RATE * 10] = 32_000
    assert gain(samples) > 100


def test_nothing_leaves_full_scale() -> None:
    louder = levels.amplified(np.float32([-0.5, 0.001, 0.9]), 100)
    np.testing.assert_allclose(louder, [-1, 0.1, 1], rtol=1e-6)


def test_the_model_hears_all_but_the_quietest_as_it_is() -> None:
    for amplitude, expected in ((1000, 1), (400, 1), (90, 16_384 // 89)):
        samples = tone(10, amplitude)
        found = levels.gain(
            lambda start, stop, samples=samples: samples[start:stop],  # type: ignore[misc]
            0, len(samples), levels.VERY_QUIET,
        )  # fmt: skip
        assert found == pytest.approx(expected, rel=0.05)


def levelled(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    found = levels.Levelling(lambda start, stop: samples[start:stop], 0, len(samples))
    return found.waveform(0, len(samples))


def test_a_quiet_speaker_after_a_loud_one_is_levelled() -> None:
    samples = np.concatenate((tone(20, 12_000), tone(20, 600)))
    loud, quiet = levelled(samples)[: 15 * RATE], levelled(samples)[25 * RATE :]
    assert np.abs(loud).max() == pytest.approx(12_000 / 32_768, rel=0.01)
    assert np.abs(quiet).max() == pytest.approx(0.36, rel=0.05)


def test_noise_in_a_long_pause_is_amplified_by_26_decibels_at_most() -> None:
    samples = np.concatenate((tone(20, 12_000), tone(60, 20), tone(20, 12_000)))
    pause = levelled(samples)[30 * RATE : 70 * RATE]
    assert np.abs(pause).max() <= 20 * 20 / 32_768 + 1e-6


def test_a_recording_of_one_level_is_heard_as_it_is_in_every_chunk() -> None:
    samples = tone(40, 8000)
    found = levels.Levelling(lambda start, stop: samples[start:stop], 0, len(samples))
    chunks = [found.waveform(start, start + 8 * RATE) for start in range(0, 40 * RATE, 8 * RATE)]
    np.testing.assert_array_equal(np.concatenate(chunks), samples.astype(np.float32) / 32_768)


@pytest.mark.parametrize("length", [0, 100, RATE // 20], ids=["empty", "100", "half a block"])
def test_less_than_a_block_is_heard_as_it_is(length: int) -> None:
    samples = tone(1, 90)[:length]
    np.testing.assert_array_equal(levelled(samples), samples.astype(np.float32) / 32_768)
