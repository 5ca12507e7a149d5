"""many_files_overhead: what a thousand short recordings cost beside their decoding."""

import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from dev.say import say, step
from tests.benchmarks import corpus, engine_alone, ours, scheduler
from tests.benchmarks.bench import Bench
from tests.benchmarks.corpus import ClassPlan, Clip
from tests.benchmarks.report import Figure
from tests.benchmarks.workers import ended, first_success

DIFFERENT = 100
"""So many are spoken; copies under other names make the rest."""


def run(bench: Bench) -> Iterable[Figure]:
    """A job on a prefix of short recordings, and the engine alone on the same windows."""
    clips = corpus.make(ClassPlan("short", DIFFERENT, (0.0, 0.0)))
    recordings = copies(clips, round(bench.sizes.files), bench.scratch / "short")
    with step(f"uploading {len(recordings)} recordings"):
        ours.upload(bench, recordings)
    job = ours.transcribe(bench, recordings)
    say(f"  the job: {job.seconds:.1f} s")
    alone = engine_alone.measure(bench, recordings)
    say(f"  the engine alone: {alone:.1f} s")
    audio = sum(clips[number % len(clips)].seconds for number in range(len(recordings)))
    beside = beside_an_engine_that_sleeps(bench, recordings, alone)
    return [*summarise(len(recordings), audio, job.seconds, alone), beside]


def beside_an_engine_that_sleeps(
    bench: Bench, recordings: Sequence[Path], decoding_seconds: float
) -> Figure:
    """The same job with an engine that takes as long and leaves the processor alone, as a GPU's
    does: what then remains is what is not done beside the decoding."""
    logs = bench.scratch / "short-naps"
    logs.mkdir()
    units = -(-len(recordings) // ours.BATCH)
    task = ours.task_on(bench, recordings)
    began = time.monotonic()
    worker = bench.cluster.start(
        task, 0, scheduler.asleep(decoding_seconds / units, logs), module=scheduler.SLEEPING_WORKER
    )
    with ended([worker]):
        first_success([worker])
        seconds = time.monotonic() - began
    slept = sum(nap.end - nap.start for nap in scheduler.naps(logs))
    say(f"  the job with an engine that sleeps: {seconds:.1f} s, of which asleep {slept:.1f} s")
    return beside_sleep(seconds, slept)


def beside_sleep(job: float, slept: float) -> Figure:
    """The job's time beyond the engine's sleep, as a share of that."""
    return Figure(
        "many_files_overhead.share, engine asleep", (job - slept) / slept, "of the decoding",
        note=f"the engine sleeps as long as it would decode, as if on a GPU: the job took "
        f"{job:.1f} s from process start to exit, {slept:.1f} s of them asleep",
    )  # fmt: skip


def summarise(count: int, audio_seconds: float, job: float, alone: float) -> list[Figure]:
    """The job's time beyond the engine's, as a share of the engine's."""
    return [
        Figure(
            "many_files_overhead.share", (job - alone) / alone, "of the decoding", None, "",
            f"{count} MP3 files of {audio_seconds / count:.1f} s on average; the job took "
            f"{job:.1f} s from process start to exit, Engine.decode alone {alone:.1f} s on the "
            "same windows from memory, in units of 8",
        ),
        Figure("many_files_overhead.files a second", count / job, "1/s"),
    ]  # fmt: skip


def copies(clips: list[Clip], count: int, folder: Path) -> list[Path]:
    """So many MP3 files with names of their own."""
    folder.mkdir()
    paths = [folder / f"{number:05}.mp3" for number in range(count)]
    for number, path in enumerate(paths):
        shutil.copyfile(corpus.mp3(clips[number % len(clips)]), path)
    return paths
