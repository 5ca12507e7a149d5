"""A recording of human speech with a known text: five sentences of a LibriVox reading.

Debian's package pocketsphinx-testdata has them, 25 seconds of Jane Austen's Sense and Sensibility.
LibriVox's recordings are in the public domain. A recording of some minutes is the five in the
book's order, over and over, with pauses of other lengths each time.
"""

import random
import re
import wave
from pathlib import Path

from dev import recording
from dev.errors import DevError
from dev.recording import Sentence

CLIPS = Path("/usr/share/pocketsphinx/test/data/librivox")

ROUNDS = 7
"""So many make three and a half minutes."""

SAMPLE_RATE = 16_000
SEED = 1811

PAUSE_SECONDS = (0.4, 1.5)
PAUSE_AFTER_ROUND_SECONDS = (2.0, 4.0)

VERSION = 1
"""Part of the cache's key: to be raised by whoever changes what the recording sounds like."""


class UnavailableError(DevError):
    """The package is not installed, and cannot be on a system that is not Debian."""


def compose(path: Path, rounds: int = ROUNDS) -> list[Sentence]:
    """Write the recording as MP3, and return what is said in it.

    Beside it lie `<name>.txt`, a sentence a line, and `<name>.json` with the times. On this
    machine it is made only once. Raises UnavailableError if the clips are not there.
    """
    name = f"librivox-{rounds}-v{VERSION}"
    return recording.made_once(path, name, lambda folder: _make(folder, rounds))


def clips(folder: Path = CLIPS) -> list[tuple[tuple[str, ...], bytes]]:
    """The words and the sound (mono, 16 bits, 16 kHz) of each sentence, in the book's order."""
    try:
        lines = (folder / "transcription").read_text().splitlines()
    except FileNotFoundError:
        raise UnavailableError(
            f"There is no human speech in {folder}: apt-get install pocketsphinx-testdata"
        ) from None
    return [(words, _sound(folder / f"{name}.wav")) for words, name in map(_entry, lines)]


def _entry(line: str) -> tuple[tuple[str, ...], str]:
    """The words of a line such as "<s> he was not </s> (clip-0880)", and the clip's name."""
    found = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip())
    if not found:
        raise DevError(f"This line of pocketsphinx-testdata's transcription is unknown: {line}")
    return tuple(found[1].split()), found[2]


def _sound(file: Path) -> bytes:
    with wave.open(str(file)) as reader:
        form = (reader.getnchannels(), reader.getsampwidth(), reader.getframerate())
        if form != (1, 2, SAMPLE_RATE):
            raise DevError(f"{file} is no longer mono sound of 16 bits at {SAMPLE_RATE} Hz.")
        sound: bytes = reader.readframes(reader.getnframes())
    return sound


def _make(folder: Path, rounds: int) -> None:
    chance = random.Random(SEED)
    sound = bytearray()
    spoken = []
    for _ in range(rounds):
        for words, speech in clips():
            start = _seconds(sound)
            sound += speech
            spoken.append(Sentence(start, _seconds(sound), words))
            sound += _silence(chance.uniform(*PAUSE_SECONDS))
        sound += _silence(chance.uniform(*PAUSE_AFTER_ROUND_SECONDS))
    recording.write(folder, bytes(sound), SAMPLE_RATE, spoken)


def _silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * SAMPLE_RATE))


def _seconds(sound: bytearray) -> float:
    return round(len(sound) / 2 / SAMPLE_RATE, 3)
