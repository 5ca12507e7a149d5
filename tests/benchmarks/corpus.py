"""The accuracy set: clips of known words in classes, made once and kept in the project's cache.

Its seeds are used nowhere else, so that nothing was ever tuned on it. Deterministic for one
version of espeak-ng and ffmpeg.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from dev import files, vocabulary
from dev.paths import CACHE
from dev.recording import SAMPLE_RATE, Sentence
from dev.say import step
from tests.benchmarks import sounds
from tests.benchmarks.sounds import Sound

VERSION = 1
"""Part of the cache's key: to be raised by whoever changes what a clip sounds like."""

SEED = 61_803_398
"""Held out."""

TRAINED_VOICES = ("en", "en-us", "en-gb")
FIVE_VOICES = ("en-us+f2", "en-us+m3", "en-gb-x-rp", "en+m1", "en-us+f4")
"""Those of the engine's first experiments; the demo model heard none of them in training."""

_RUN_ON_WORDS = 60
_READ_AHEAD = 32
_MARGIN_SECONDS = (0.1, 0.5)
_LONG_PAUSE_SECONDS = (10.0, 60.0)
_NON_SPEECH_SECONDS = (2.0, 20.0)


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it; ``path`` is a FLAC file."""

    name: str
    path: Path
    seconds: float
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class ClassPlan:
    """How the clips of a class come about.

    A clip takes sentences until it is as long as a length drawn from ``seconds``. ``pauses``: the
    range between two sentences; ``long_pauses``: the share of those with up to a minute more.
    ``run_on``: 60 words without a pause at a time. ``between``: non-speech in place of silence.
    ``kinds``: nothing but non-speech, a clip for each.
    """

    name: str
    clips: int
    seconds: tuple[float, float]
    voices: tuple[str, ...] = TRAINED_VOICES
    words_per_minute: tuple[int, int] = (125, 180)
    pauses: tuple[float, float] = (0.2, 2.0)
    long_pauses: float = 0.0
    run_on: bool = False
    noise_decibels: float | None = None
    between: bool = False
    kinds: tuple[str, ...] = ()

    def scaled(self, by: float) -> "ClassPlan":
        """Fewer clips or, where there is but one, shorter ones."""
        if self.clips > 1 and not self.kinds:
            return replace(self, clips=max(2, round(self.clips * by)))
        low, high = self.seconds
        return replace(self, seconds=(max(10.0, low * by), max(10.0, high * by)))


def _minutes(count: float) -> tuple[float, float]:
    return (count * 60, count * 60)


PLANS = (
    ClassPlan("utterances", 300, (0.0, 0.0)),
    ClassPlan("sentences", 60, (6.0, 26.0), pauses=(0.1, 0.4)),
    ClassPlan("long", 1, _minutes(60), pauses=(0.2, 3.0), long_pauses=0.01),
    ClassPlan("no_pauses", 1, _minutes(10), run_on=True, pauses=(0.0, 0.0)),
    ClassPlan("five_voices", 1, _minutes(10), FIVE_VOICES, pauses=(0.15, 3.0)),
    ClassPlan(
        "five_voices_noise", 1, _minutes(10), FIVE_VOICES,
        pauses=(0.15, 3.0), long_pauses=0.03, noise_decibels=25,
    ),
    ClassPlan("noise", 1, _minutes(10), pauses=(0.2, 3.0), long_pauses=0.03, noise_decibels=25),
    ClassPlan("non_speech_between", 1, _minutes(10), between=True),
    ClassPlan("non_speech_alone", len(sounds.KINDS), _minutes(1), kinds=tuple(sounds.KINDS)),
)  # fmt: skip


def collect(scale: float = 1.0, only: Iterable[str] = ()) -> dict[str, list[Clip]]:
    """The clips of each class, made unless they are there; ``scale`` below 1 for a quick try."""
    names = set(only) or {plan.name for plan in PLANS}
    return {plan.name: make(plan.scaled(scale)) for plan in PLANS if plan.name in names}


def make(plan: ClassPlan) -> list[Clip]:
    """The clips of one class, from the cache if they are there."""
    folder = CACHE / "benchmarks" / f"{plan.name}-{files.digest(repr(plan), f'{VERSION} {SEED}')}"
    if not folder.exists():
        with step(f"making {plan.name}"), files.made_whole(folder) as scratch:
            scratch.mkdir()
            _make(plan, scratch)
    entries = json.loads((folder / "clips.json").read_text())
    return [
        Clip(
            entry["name"],
            folder / f"{entry['name']}.flac",
            entry["seconds"],
            tuple(Sentence(s["start"], s["end"], tuple(s["words"])) for s in entry["sentences"]),
        )
        for entry in entries
    ]


def mp3(clip: Clip) -> Path:
    """The clip at a constant 64 kbit/s without a header: such files can be joined and cut."""
    path = clip.path.with_suffix(".mp3")
    if not path.exists():
        with files.made_whole(path) as scratch:
            sounds.convert(clip.path, scratch, "-b:a", "64k", "-write_xing", "0")
    return path


def _make(plan: ClassPlan, folder: Path) -> None:
    chance = random.Random(f"{SEED} {plan.name}")
    clips = _kinds(plan, chance) if plan.kinds else _talks(plan, chance)
    entries = []
    for number, (sound, sentences) in enumerate(clips):
        name = plan.kinds[number] if plan.kinds else f"{plan.name}-{number:04}"
        sounds.encode(sound, folder / f"{name}.flac")
        said = [asdict(sentence) for sentence in sentences]
        entries.append({"name": name, "seconds": len(sound) / SAMPLE_RATE, "sentences": said})
    (folder / "clips.json").write_text(json.dumps(entries) + "\n")


_Made = tuple[Sound, list[Sentence]]


def _kinds(plan: ClassPlan, chance: random.Random) -> Iterator[_Made]:
    for kind in plan.kinds:
        yield sounds.non_speech(kind, plan.seconds[0], chance), []


def _talks(plan: ClassPlan, chance: random.Random) -> Iterator[_Made]:
    spoken = _spoken(_utterances(plan, random.Random(chance.getrandbits(32))))
    for _ in range(plan.clips):
        yield _talk(plan, chance, spoken)


def _talk(plan: ClassPlan, chance: random.Random, spoken: Iterator["_Spoken"]) -> _Made:
    target = chance.uniform(*plan.seconds) * SAMPLE_RATE
    pieces = [sounds.pause(chance.uniform(*_MARGIN_SECONDS))]
    sentences: list[Sentence] = []
    speech: list[Sound] = []
    position = len(pieces[0])
    while not sentences or position < target:
        if sentences:
            pieces.append(_between(plan, chance))
            position += len(pieces[-1])
        words, sound = next(spoken)
        sentences.append(
            Sentence(position / SAMPLE_RATE, (position + len(sound)) / SAMPLE_RATE, words)
        )
        pieces.append(sound)
        speech.append(sound)
        position += len(sound)
    whole = np.concatenate([*pieces, sounds.pause(chance.uniform(*_MARGIN_SECONDS))])
    if plan.noise_decibels is not None:
        whole = sounds.with_noise(whole, speech, plan.noise_decibels, chance.getrandbits(32))
    return whole, sentences


def _between(plan: ClassPlan, chance: random.Random) -> Sound:
    if plan.between:
        kind = chance.choice(list(sounds.KINDS))
        noise = sounds.non_speech(kind, chance.uniform(*_NON_SPEECH_SECONDS), chance)
        margin = sounds.pause(0.2)
        return np.concatenate([margin, noise, margin])
    seconds = chance.uniform(*plan.pauses)
    if chance.random() < plan.long_pauses:
        seconds += chance.uniform(*_LONG_PAUSE_SECONDS)
    return sounds.pause(seconds)


_Utterance = tuple[tuple[str, ...], str, int]
_Spoken = tuple[tuple[str, ...], Sound]


def _utterances(plan: ClassPlan, chance: random.Random) -> Iterator[_Utterance]:
    sentences = vocabulary.sentences(chance)
    while True:
        words = next(sentences)
        while plan.run_on and len(words) < _RUN_ON_WORDS:
            words += next(sentences)
        yield words, chance.choice(plan.voices), chance.randint(*plan.words_per_minute)


def _spoken(utterances: Iterator[_Utterance]) -> Iterator[_Spoken]:
    """Two espeak-ng at a time, in order."""
    with ThreadPoolExecutor(max_workers=2) as speakers:
        while True:
            batch: Sequence[_Utterance] = list(islice(utterances, _READ_AHEAD))
            voices = speakers.map(lambda utterance: sounds.speak(*utterance), batch)
            for (words, _, _), sound in zip(batch, voices, strict=True):
                yield words, sound
