"""The recordings of people in ../shared/real-speech, and how transcripts of them are scored.

Texts are compared as the Whisper paper has it: openai-whisper's English normaliser for English,
its basic one elsewhere; Japanese and Chinese by characters.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jiwer
from whisper.normalizers import (  # type: ignore[import-untyped]
    BasicTextNormalizer,
    EnglishTextNormalizer,
)

from dev.errors import DevError
from dev.paths import ROOT

FOLDER = ROOT.parent / "shared" / "real-speech"
BY_CHARACTERS = ("ja", "zh")
COMPOSED = "en/composed"
"""Made of clips that also lie in the folder alone: a class, but not part of its language."""


@dataclass(frozen=True)
class Recording:
    """A row of manifest.tsv. ``reference``: None for those with speaker turns but no text."""

    path: Path
    name: str
    language: str
    seconds: float
    reference: str | None

    @property
    def folder(self) -> str:
        """What it is a case of: the folder, such as en/long."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Errors:
    """Of one transcript or of many. ``units``: words of the reference, or characters."""

    units: int = 0
    wrong: int = 0
    empty: int = 0

    @property
    def rate(self) -> float:
        """Word error rate, or character error rate."""
        return self.wrong / max(1, self.units)


def recordings(folder: Path = FOLDER) -> list[Recording]:
    """All of the manifest; DevError where the corpus is missing."""
    manifest = folder / "manifest.tsv"
    if not manifest.exists():
        raise DevError(f"The corpus is not in {folder}: this benchmark needs it.")
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [_recording(folder, row) for row in rows]


def _recording(folder: Path, row: dict[str, str]) -> Recording:
    text = row["reference_text"]
    if row["reference_file"]:
        text = (folder / row["reference_file"]).read_text(encoding="utf-8")
    return Recording(
        path=folder / row["path"],
        name=row["path"],
        language=row["language"],
        seconds=float(row["seconds"]),
        reference=text.replace("|", " ") if text.strip() else None,
    )


def errors(recording: Recording, transcript: str) -> Errors:
    """One transcript's errors; none are counted without a reference."""
    empty = int(not transcript.strip())
    if recording.reference is None:
        return Errors(empty=empty)
    reference = normalised(recording.language, recording.reference)
    heard = normalised(recording.language, transcript)
    if not reference:
        return Errors(empty=empty)
    measure = (
        jiwer.process_characters if recording.language in BY_CHARACTERS else jiwer.process_words
    )
    found = measure(reference, heard)
    return Errors(
        found.hits + found.substitutions + found.deletions,
        found.substitutions + found.deletions + found.insertions,
        empty,
    )


def total(found: Iterable[Errors]) -> Errors:
    """Many transcripts' errors as one."""
    each: Sequence[Errors] = list(found)
    return Errors(
        sum(one.units for one in each),
        sum(one.wrong for one in each),
        sum(one.empty for one in each),
    )


def normalised(language: str, text: str) -> str:
    """Text without what no transcript is judged by: case, punctuation, spelling of numbers."""
    if language == "en":
        return str(_english()(text)).strip()
    plain = str(_basic()(_simplified(text) if language == "zh" else text)).strip()
    return "".join(plain.split()) if language in BY_CHARACTERS else plain


@cache
def _english() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


@cache
def _basic() -> BasicTextNormalizer:
    return BasicTextNormalizer()


def _simplified(text: str) -> str:
    """Chinese as it is written in the references: base writes traditional signs now and then."""
    from opencc import OpenCC  # type: ignore[import-not-found]  # of the bench environment alone

    return str(OpenCC("t2s").convert(text))
