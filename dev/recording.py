"""Recordings with a known text, spoken by espeak-ng in the demo model's vocabulary."""

import array
import io
import json
import os
import random
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from subprocess import run

from dev import files, vocabulary
from dev.commands import environment
from dev.errors import DevError
from dev.paths import CACHE

VERSION = 1
"""Part of the cache's key: to be raised by whoever changes what a recording sounds like."""

VOICES = ("en", "en-us", "en-gb")
WORDS_PER_MINUTE = (125, 180)
PAUSE_SECONDS = (0.3, 2.0)

SAMPLE_RATE = 22050
"""What espeak-ng makes."""

SILENCE = 200
"""Samples below this, of 32767, are silence when the end of a sentence is looked for."""


@dataclass(frozen=True)
class Sentence:
    """What was said, and when, in seconds from the recording's start."""

    start: float
    end: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Utterance:
    words: tuple[str, ...]
    voice: str
    words_per_minute: int
    pause: float


def synthesise(path: Path, seed: int, minutes: float) -> list[Sentence]:
    """Write a recording of at least so many minutes as MP3, and return what is said in it.

    Beside it lie `<name>.txt`, a sentence a line, and `<name>.json` with the times. The same seed
    and length make the same recording; on this machine it is made only once.
    """
    name = f"{seed}-{minutes:g}min-v{VERSION}"
    return made_once(path, name, lambda folder: _make(folder, seed, minutes))


def made_once(path: Path, name: str, make: Callable[[Path], None]) -> list[Sentence]:
    """Copy a recording to `path`, text and times beside it; `make` writes it if it is not cached.

    `make` gets a folder and calls `write` with it. Returns the sentences.
    """
    cached = CACHE / "recordings" / name
    if not cached.exists():
        with files.made_whole(cached) as scratch:
            scratch.mkdir()
            make(scratch)
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".mp3", ".txt", ".json"):
        with files.made_whole(path.with_suffix(suffix)) as copy:
            copy.write_bytes((cached / f"recording{suffix}").read_bytes())
    return read(path.with_suffix(".json"))


def write(folder: Path, sound: bytes, sample_rate: int, spoken: Sequence[Sentence]) -> None:
    """Write mono 16-bit sound as recording.mp3, and what is said in it as .txt and .json."""
    _encode(sound, sample_rate, folder / "recording.mp3")
    lines = [_as_text(sentence.words) for sentence in spoken]
    (folder / "recording.txt").write_text("\n".join(lines) + "\n")
    reference = json.dumps([asdict(sentence) for sentence in spoken], indent=1)
    (folder / "recording.json").write_text(reference + "\n")


def read(reference: Path) -> list[Sentence]:
    """The sentences of a recording, from the JSON file beside it."""
    entries = json.loads(reference.read_text())
    return [Sentence(entry["start"], entry["end"], tuple(entry["words"])) for entry in entries]


def _make(folder: Path, seed: int, minutes: float) -> None:
    sound = bytearray()
    spoken = []
    target = int(minutes * 60 * SAMPLE_RATE) * 2
    utterances = _utterances(random.Random(seed))
    # Two at a time, in order; a hundred more are asked for only when the last have been used.
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as speakers:
        while len(sound) < target:
            batch = list(islice(utterances, 100))
            for utterance, speech in zip(batch, speakers.map(_speak, batch), strict=True):
                if len(sound) >= target:
                    break
                start = _seconds(sound)
                sound += speech
                spoken.append(Sentence(start, _seconds(sound), utterance.words))
                sound += bytes(2 * int(utterance.pause * SAMPLE_RATE))
    write(folder, bytes(sound), SAMPLE_RATE, spoken)


def _utterances(chance: random.Random) -> Iterator[_Utterance]:
    for words in vocabulary.sentences(chance):
        voice = chance.choice(VOICES)
        speed = chance.randint(*WORDS_PER_MINUTE)
        yield _Utterance(words, voice, speed, round(chance.uniform(*PAUSE_SECONDS), 2))


def _as_text(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    # A capital and a full stop: without them espeak-ng takes it for a fragment of a sentence.
    return f"{text[0].upper()}{text[1:]}."


def _seconds(sound: bytes | bytearray) -> float:
    return round(len(sound) / 2 / SAMPLE_RATE, 3)


def _speak(utterance: _Utterance) -> bytes:
    words = ["espeak-ng", "-v", utterance.voice, "-s", str(utterance.words_per_minute), "--stdout"]
    speech = _run([*words, _as_text(utterance.words)])
    with wave.open(io.BytesIO(speech)) as reader:
        if reader.getframerate() != SAMPLE_RATE or reader.getnchannels() != 1:
            raise DevError(f"espeak-ng no longer makes mono sound at {SAMPLE_RATE} Hz.")
        return without_trailing_silence(reader.readframes(reader.getnframes()))


def without_trailing_silence(sound: bytes) -> bytes:
    """16-bit sound up to the last sample that can be heard."""
    # espeak-ng writes a length that it does not know yet; an odd last byte is no sample.
    samples = array.array("h", sound[: len(sound) // 2 * 2])
    end = len(samples)
    while end and abs(samples[end - 1]) < SILENCE:
        end -= 1
    return samples[:end].tobytes()


def _encode(sound: bytes, sample_rate: int, path: Path) -> None:
    raw = ["-f", "s16le", "-ar", str(sample_rate), "-ac", "1", "-i", "pipe:0"]
    # No date and no version in the file: the same sound makes the same bytes.
    plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    encoder = ["-codec:a", "libmp3lame", "-b:a", "64k"]
    _run(["ffmpeg", "-v", "error", "-nostdin", *raw, *plain, *encoder, str(path)], sound)


def _run(words: list[str], stdin: bytes | None = None) -> bytes:
    done = run(words, input=stdin, capture_output=True, env=environment(), check=False)
    if done.returncode:
        raise DevError(f"{words[0]} failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
