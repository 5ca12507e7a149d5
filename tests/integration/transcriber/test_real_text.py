"""What becomes of silence, noise, hard speech and rare words with OpenAI's weights."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from transcription_contract.decoding import Decoding
from whisper_transcriber.audio.samples import Waveform
from whisper_transcriber.audio.stretches import speech
from whisper_transcriber.audio.vad import VoiceDetector
from whisper_transcriber.audio.windows import (
    JOINED_WINDOW_LIMIT,
    SAMPLE_RATE,
    Span,
    windows,
)
from whisper_transcriber.decoding.fallback import BatchText, FallbackDecoder
from whisper_transcriber.engine.whisper_engine import WhisperEngine

SHARED = Path(__file__).parents[4] / "shared"
MEDIA, SPEECH = SHARED / "real-media", SHARED / "real-speech"
HISS = ["-f", "lavfi", "-i", "anoisesrc=a=0.003:d=60:seed=1"]

Transcribe = Callable[..., BatchText]


def sound(*source: str) -> Waveform:
    command = ["ffmpeg", "-nostdin", "-v", "error", *source, "-ac", "1", "-ar", str(SAMPLE_RATE)]
    done = subprocess.run([*command, "-f", "f32le", "-"], check=True, capture_output=True)
    return np.frombuffer(done.stdout, "<f4")


def shared(path: Path) -> list[str]:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return ["-i", str(path)]


def weights(request: pytest.FixtureRequest, name: str) -> Path:
    try:
        return Path(request.getfixturevalue(f"{name}_checkpoint"))
    except pytest.FixtureLookupError:
        pytest.skip(f"no fixture has the weights of {name}")


@pytest.fixture(scope="module")
def transcribe(request: pytest.FixtureRequest) -> Transcribe:
    """Transcribes one sound with tiny.en and the given options of spec.decoding."""
    checkpoint = weights(request, "tiny_en")
    detector = VoiceDetector()

    def run(source: list[str], **options: object) -> BatchText:
        decoding = Decoding.model_validate(options)
        engine = WhisperEngine.load(
            checkpoint, label="tiny.en.pt", task="transcribe", decoding=decoding,
            aligned=True, word_timestamps=False, threads=2,
        )  # fmt: skip
        samples = sound(*source)
        integers = (samples * 32767).astype(np.int16)
        probabilities = detector.probabilities(lambda a, b: samples[a:b], 0, len(samples))
        planned = windows(
            0, speech(probabilities.tolist(), Span(0, len(samples))), lambda a, b: integers[a:b],
            JOINED_WINDOW_LIMIT, joined=True,
        )  # fmt: skip
        decoder = FallbackDecoder(
            engine, 8, lambda _, a, b, __: samples[a:b], lambda _, a, b, __: integers[a:b], decoding
        )
        return decoder.decode(planned, {0: "en"})

    return run


def text(found: BatchText) -> str:
    return "".join(each.text for each in found.segments.get(0, ()))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(["wt_empty.wav"], id="a recording without speech"),
        pytest.param(["29_-_Dominator.mp3"], id="music"),
        pytest.param(HISS, id="hiss"),
    ],
)
def test_no_text_where_nobody_speaks(transcribe: Transcribe, source: list[str]) -> None:
    found = transcribe(source if source is HISS else shared(MEDIA / source[0]))
    assert text(found) == ""


@pytest.mark.parametrize("name", ["fsdd_3_nicolas_6.wav", "fsdd_7_jackson_10.wav"])
def test_a_recording_of_a_single_word_has_text_or_is_counted(
    transcribe: Transcribe, name: str
) -> None:
    """tiny.en hears " free." in 0.3 s of "three", and takes it for silence; base does not."""
    found = transcribe(shared(SPEECH / "en" / name))
    assert text(found).strip() or found.dropped_seconds > 0


@pytest.mark.parametrize("suspect", ["keep", "drop"])
def test_improbable_text_is_kept_and_flagged_or_dropped_and_counted(
    transcribe: Transcribe, suspect: str
) -> None:
    """A German speech taken for English: every attempt is improbable."""
    found = transcribe(shared(MEDIA / "wt_gaenswein15.mp3"), suspectText=suspect)
    if suspect == "keep":
        assert len(text(found)) > 80
        assert found.suspect > 0
    else:
        assert found.suspect == 0
        assert found.dropped_seconds > 8


@pytest.mark.parametrize(
    ("options", "count"),
    [
        pytest.param({}, 0, id="neither"),
        pytest.param({"hotwords": ["ComfyUI"]}, 2, id="hotwords"),
        pytest.param({"hotwords": ["ComfyUI", "comfyui"]}, 2, id="repeated"),
        pytest.param({"initialPrompt": "ComfyUI"}, 2, id="initialPrompt"),
    ],
)
def test_a_rare_word_is_spelt_as_the_job_spells_it(
    transcribe: Transcribe, options: dict[str, object], count: int
) -> None:
    found = text(transcribe(shared(MEDIA / "hotwords.mp3"), **options))
    assert found.count("ComfyUI") == count
