import pytest
import torch
from whisper.audio import log_mel_spectrogram  # type: ignore[import-untyped]

from tests.unit.transcriber.engine import tiny
from transcription_contract.decoding import AudioContext
from whisper_transcriber.engine import spectrogram


@pytest.mark.parametrize(
    ("context", "seconds", "frames"),
    [
        pytest.param("full", (1.0,), 3000, id="full is always 30 s"),
        pytest.param("window", (1.0, 3.0), 800, id="the longest window and 5 s"),
        pytest.param("window", (1.0, 3.01), 900, id="whole seconds"),
        pytest.param("window", (28.0,), 3000, id="never more than 30 s"),
    ],
)
def test_how_much_is_encoded(context: str, seconds: tuple[float, ...], frames: int) -> None:
    windows = tiny.noise(*seconds)
    assert spectrogram.context_frames(windows, AudioContext(context), tiny.model()) == frames


def test_a_spectrogram_is_the_window_s_own_and_then_zero() -> None:
    windows = tiny.noise(2.0, 0.5)
    long, short = spectrogram.log_mel(windows, 3000, tiny.model())
    torch.testing.assert_close(long[:, :200], log_mel_spectrogram(windows[0]))
    torch.testing.assert_close(short[:, :50], log_mel_spectrogram(windows[1]))
    assert not long[:, 200:].any()
    assert not short[:, 50:].any()


@torch.inference_mode()
def test_windows_are_encoded_as_whisper_encodes_them() -> None:
    model = tiny.model()
    mels = spectrogram.log_mel(tiny.noise(1.0, 2.0, 3.0), 3000, model)
    torch.testing.assert_close(spectrogram.encode(model, mels, torch.float32), model.encoder(mels))


@torch.inference_mode()
def test_a_shorter_context_has_fewer_positions() -> None:
    model = tiny.model()
    mels = spectrogram.log_mel(tiny.noise(1.0), 600, model)
    assert spectrogram.encode(model, mels, torch.float32).shape == (
        1,
        300,
        model.dims.n_audio_state,
    )


@pytest.mark.parametrize(
    ("seconds", "encoded", "positions"),
    [(2.0, 1500, 100), (30.0, 1500, 1500), (2.0, 50, 50), (0.01, 1500, 1)],
)
def test_positions_of_a_window_s_own(seconds: float, encoded: int, positions: int) -> None:
    (window,) = tiny.noise(seconds)
    assert spectrogram.own_positions(window, encoded) == positions
