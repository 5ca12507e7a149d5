import numpy as np
import pytest

from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.vad import CHUNK_FRAMES, VoiceDetector
from whisper_transcriber.audio.windows import FRAME_SAMPLES, SAMPLE_RATE


@pytest.fixture(scope="module")
def detector() -> VoiceDetector:
    return VoiceDetector()


def hum(start: int, stop: int) -> Waveform:
    """Mains hum with a little noise: no speech."""
    positions = np.arange(start, stop)
    wave: Waveform = (0.05 * np.sin(positions * (2 * np.pi * 50 / SAMPLE_RATE))).astype(np.float32)
    return wave


def test_there_is_a_probability_for_each_frame_the_last_one_included(
    detector: VoiceDetector,
) -> None:
    assert len(detector.probabilities(hum, 0, 10 * FRAME_SAMPLES + 1)) == 11
    assert len(detector.probabilities(hum, 0, 0)) == 0


def test_nobody_speaks_in_a_hum(detector: VoiceDetector) -> None:
    assert detector.probabilities(hum, 0, 20 * SAMPLE_RATE).max() < 0.3


def test_long_stretches_are_the_same_in_chunks_as_at_once(
    detector: VoiceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = (CHUNK_FRAMES + 100) * FRAME_SAMPLES
    rng = np.random.default_rng(1)
    recording = rng.normal(0, 0.1, count).astype(np.float32)

    def read(start: int, stop: int) -> Waveform:
        return recording[start:stop]

    in_chunks = detector.probabilities(read, 0, count)
    monkeypatch.setattr("whisper_transcriber.audio.vad.CHUNK_FRAMES", 10 * CHUNK_FRAMES)
    at_once = detector.probabilities(read, 0, count)
    np.testing.assert_allclose(in_chunks, at_once, atol=1e-6)
