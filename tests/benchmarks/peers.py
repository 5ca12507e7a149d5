"""The peers, each a process of its own: its start, the loading of the model and all else count."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dev.errors import DevError
from dev.paths import ROOT
from tests.benchmarks.scores import Said
from tests.benchmarks.watch import Watched, watch

GREEDY = "openai-whisper transcribe(temperature=0, condition_on_previous_text=False)"
GREEDY_OPTIONS: dict[str, Any] = {"temperature": 0.0, "condition_on_previous_text": False}
DEFAULT = "openai-whisper transcribe()"

TIMEOUT_SECONDS = 4 * 3600.0


@dataclass(frozen=True)
class Run:
    """A run to its end. ``heard``: the segments of each file, in the order in which they came."""

    seconds: float
    peak: int
    heard: tuple[tuple[Said, ...], ...]


def openai_whisper(
    checkpoint: Path,
    recordings: Sequence[Path],
    threads: int,
    languages: Sequence[str] = (),
    **options: Any,
) -> Run:
    """openai-whisper's transcribe() on each recording, in one process; English by default."""
    return _run("openai_whisper_process", checkpoint, recordings, threads, languages, options)


def faster_whisper(
    model: Path,
    recordings: Sequence[Path],
    threads: int,
    languages: Sequence[str] = (),
    **options: Any,
) -> Run:
    """faster-whisper on each recording, in one process; see faster_whisper_process."""
    return _run("faster_whisper_process", model, recordings, threads, languages, options)


def whisper_command(checkpoint: Path, recording: Path, threads: int) -> Run:
    """The command `whisper` with its defaults (five beams), but for the language."""
    with TemporaryDirectory() as folder:
        watched = call(
            "whisper",
            [str(recording), "--model", str(checkpoint), "--language", "en", "--fp16", "False",
             "--threads", str(threads), "--output_format", "json", "--output_dir", folder],
            threads,
        )  # fmt: skip
        answer = json.loads((Path(folder) / f"{recording.stem}.json").read_text())
    return Run(watched.seconds, watched.peak, (segments(answer),))


def segments(answer: Mapping[str, Any]) -> tuple[Said, ...]:
    """The segments of a transcript as openai-whisper writes it, ours too."""
    return tuple(Said(one["start"], one["end"], one["text"]) for one in answer["segments"])


def call(module: str, arguments: Sequence[str], threads: int) -> Watched:
    """Run a Python module to its end; DevError with its last lines when it fails."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        began = time.monotonic()
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
                stdout=file,
                stderr=file,
            )
        watched = watch(process, began, TIMEOUT_SECONDS)
        if process.returncode:
            last = log.read_text(errors="replace")[-2000:]
            raise DevError(f"{module} ended with {process.returncode}:\n{last}")
    return watched


def _run(
    module: str,
    model: Path,
    recordings: Sequence[Path],
    threads: int,
    languages: Sequence[str],
    options: Mapping[str, Any],
) -> Run:
    with TemporaryDirectory() as folder:
        order, answers = Path(folder) / "order", Path(folder) / "answers"
        files = [str(path) for path in recordings]
        wanted = {"model": str(model), "files": files, "languages": [*languages]}
        order.write_text(json.dumps({**wanted, "options": options}))
        watched = call(f"tests.benchmarks.{module}", [str(order), str(answers)], threads)
        said = json.loads(answers.read_text())
    heard = tuple(tuple(Said(*segment) for segment in one) for one in said)
    return Run(watched.seconds, watched.peak, heard)
