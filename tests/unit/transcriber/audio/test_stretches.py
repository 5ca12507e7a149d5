import pytest

from whisper_transcriber.audio.stretches import speech
from whisper_transcriber.audio.windows import PADDING, Span


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        pytest.param([], [], id="no audio"),
        pytest.param([0.1] * 100, [], id="silence"),
        pytest.param([0.1] * 50 + [0.9] * 5 + [0.1] * 50, [], id="a click of 0.16 s is no speech"),
        pytest.param(
            [0.1] * 50 + [0.9] * 5,
            [Span(50 * 512 - PADDING, 55 * 512)],
            id="0.16 s of speech that the recording cuts off",
        ),
        pytest.param([0.1] * 50 + [0.9] * 3, [], id="a click of 0.1 s at the end is no speech"),
        pytest.param(
            [0.9] * 5 + [0.1] * 20 + [0.9] * 50,
            [Span(0, 5 * 512 + PADDING), Span(25 * 512 - PADDING, 75 * 512)],
            id="a piece of a word near longer speech",
        ),
        pytest.param(
            [0.9] * 5 + [0.1] * 40 + [0.9] * 50,
            [Span(45 * 512 - PADDING, 95 * 512)],
            id="a click more than a second before speech",
        ),
        pytest.param(
            [0.1] * 50 + [0.9] * 50 + [0.1] * 50,
            [Span(50 * 512 - PADDING, 100 * 512 + PADDING)],
            id="one word is padded on both sides",
        ),
        pytest.param(
            [0.9] * 50,
            [Span(0, 50 * 512)],
            id="padding stays inside",
        ),
        pytest.param(
            [0.9] * 50 + [0.1] * 3 + [0.9] * 50,
            [Span(0, 103 * 512)],
            id="0.1 s of silence does not end speech",
        ),
        pytest.param(
            [0.9] * 50 + [0.4] * 50 + [0.9] * 50,
            [Span(0, 150 * 512)],
            id="doubt does not end speech",
        ),
        pytest.param(
            [0.9] * 50 + [0.1] * 8 + [0.9] * 50,
            [Span(0, 54 * 512), Span(54 * 512, 108 * 512)],
            id="a short gap is shared",
        ),
    ],
)
def test_speech_is_found_and_padded(probabilities: list[float], expected: list[Span]) -> None:
    assert speech(probabilities, Span(0, len(probabilities) * 512)) == expected
