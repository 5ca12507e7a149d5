"""What the demo transcribes, and with which model: human speech where it can be had."""

from dataclasses import dataclass
from pathlib import Path

from dev import demomodel, librivox, realmodels, recording
from dev.paths import CACHE
from dev.say import say, step

SEED = 20261122
MINUTES = 20
"""Of the synthetic speech, which is also what tests have that need length."""


@dataclass(frozen=True)
class Material:
    """A recording and a model that understands it, on this machine."""

    recording: Path
    model: Path
    model_sha256: str

    @property
    def text(self) -> Path:
        """What is spoken, a sentence a line."""
        return self.recording.with_suffix(".txt")

    @property
    def source_uri(self) -> str:
        """Where the demo uploads the recording to."""
        return f"s3://recordings/{self.recording.name}"

    @property
    def model_uri(self) -> str:
        """Where the demo uploads the model to."""
        return f"s3://models/{self.model.name}"


def choose() -> Material:
    """Human speech, or synthetic speech and a sentence that says why."""
    try:
        return human()
    except (librivox.UnavailableError, realmodels.UnavailableError) as error:
        say(f"\n{error}\nUsing synthetic speech and the demo's own small model instead.\n")
        return synthetic()


def human(folder: Path = CACHE / "demo") -> Material:
    """A LibriVox reading (public domain) and Whisper base (MIT licence).

    Raises librivox.UnavailableError or realmodels.UnavailableError if one cannot be had.
    """
    path = folder / "reading.mp3"
    with step("making a recording of human speech from LibriVox clips"):
        librivox.compose(path)
    model = realmodels.ensure("base")
    return Material(path, model, realmodels.MODELS["base"].checkpoint_sha256)


def synthetic(folder: Path = CACHE / "demo") -> Material:
    """Speech of espeak-ng, and the model in this checkout, which knows those 288 words alone."""
    path = folder / "standup.mp3"
    with step(f"speaking a recording of {MINUTES} minutes with espeak-ng"):
        recording.synthesise(path, SEED, MINUTES)
    return Material(path, demomodel.unpack(), demomodel.SHA256)
