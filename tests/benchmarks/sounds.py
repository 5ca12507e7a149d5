"""Speech by espeak-ng and sounds that are no speech: float samples in [-1, 1] at 22,050 Hz."""

import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dev.commands import environment
from dev.errors import DevError
from dev.recording import SAMPLE_RATE

Sound = NDArray[np.float32]

_WAV_HEADER_BYTES = 44
_AUDIBLE = 0.01
"""Of the peak: both ends are cut off below it, so that a sentence starts where it says."""

_FFMPEG = ("ffmpeg", "-v", "error", "-y", "-nostdin")
_PLAIN = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
"""No date and no version in the file: the same sound makes the same bytes."""

_DTMF = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
"""Hz; ITU-T Q.23."""


def speak(words: Sequence[str], voice: str, words_per_minute: int) -> Sound:
    """A sentence without silence around it."""
    text = " ".join(words)
    # A capital and a full stop: without them espeak-ng takes it for a fragment of a sentence.
    said = f"{text[0].upper()}{text[1:]}."
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", said]
    wav = _run(command)[_WAV_HEADER_BYTES:]
    samples = np.frombuffer(wav[: len(wav) // 2 * 2], "<i2").astype(np.float32) / 32768
    heard = np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max())
    return samples[heard[0] : heard[-1] + 1]


def pause(seconds: float) -> Sound:
    """Digital silence."""
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def non_speech(kind: str, seconds: float, chance: random.Random) -> Sound:
    """Something that nobody says; ``kind`` is a key of KINDS."""
    generator = np.random.default_rng(chance.getrandbits(32))
    return KINDS[kind](_times(seconds), generator).astype(np.float32)


def with_noise(sound: Sound, speech: Sequence[Sound], decibels: float, seed: int) -> Sound:
    """White noise added, so many decibels below the mean power of the speech."""
    power = float(np.mean(np.concatenate(speech) ** 2))
    noise = np.random.default_rng(seed).standard_normal(len(sound), np.float32)
    return sound + noise * np.float32(np.sqrt(power / 10 ** (decibels / 10)))


def encode(sound: Sound, path: Path) -> None:
    """Write mono sound in the format that the extension names."""
    integers = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    raw = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1"]
    _run([*_FFMPEG, *raw, "-i", "pipe:0", *_PLAIN, str(path)], integers)


def convert(source: Path, target: Path, *arguments: str) -> None:
    """Write a recording in another format."""
    _run([*_FFMPEG, "-i", str(source), *_PLAIN, *arguments, str(target)])


def _times(seconds: float) -> Sound:
    return (np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def _tone(times: Sound, hertz: float) -> Sound:
    return np.sin(2 * np.pi * hertz * times, dtype=np.float32)


def _silence(times: Sound, _: np.random.Generator) -> Sound:
    return np.zeros_like(times)


def _noise(times: Sound, generator: np.random.Generator) -> Sound:
    return 0.03 * generator.standard_normal(len(times), np.float32)


def _chords(times: Sound, generator: np.random.Generator) -> Sound:
    """A new triad each second, struck and dying away."""
    sound = np.zeros_like(times)
    for second in range(int(times[-1]) + 1):
        now = (times >= second) & (times < second + 1)
        root = 220 * 2 ** (generator.integers(0, 13) / 12)
        chord = sum(_tone(times[now] - second, root * step) for step in (1, 1.26, 1.498))
        sound[now] = 0.15 * chord * np.exp(-2 * (times[now] - second))
    return sound


def _buzz(times: Sound, _: np.random.Generator) -> Sound:
    return 0.1 * (2 * (times * 120 % 1) - 1)


def _clicks(times: Sound, generator: np.random.Generator) -> Sound:
    sound = np.zeros_like(times)
    sound[generator.integers(0, len(times), max(1, int(times[-1] * 3)))] = 0.8
    return sound


def _dtmf(times: Sound, generator: np.random.Generator) -> Sound:
    """A key every 0.2 s, for half of the time."""
    sound = np.zeros_like(times)
    for start in np.arange(0, times[-1], 0.2):
        now = (times >= start) & (times < start + 0.1)
        low, high = (keys[generator.integers(4)] for keys in _DTMF)
        sound[now] = 0.15 * (_tone(times[now], low) + _tone(times[now], high))
    return sound


def _hum(times: Sound, _: np.random.Generator) -> Sound:
    return 0.08 * _tone(times, 50) + 0.04 * _tone(times, 100) + 0.02 * _tone(times, 150)


KINDS: dict[str, Callable[[Sound, np.random.Generator], Sound]] = {
    "silence": _silence,
    "noise": _noise,
    "chords": _chords,
    "buzz": _buzz,
    "clicks": _clicks,
    "dtmf": _dtmf,
    "hum": _hum,
}


def _run(command: Sequence[str], stdin: bytes | None = None) -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment(), check=False)
    if done.returncode:
        raise DevError(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout
