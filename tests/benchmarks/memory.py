"""memory_10h: what ten hours need more than one batch does."""

from collections.abc import Iterable
from pathlib import Path

from dev.say import say
from tests.benchmarks import corpus, ours, peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Figure, against
from tests.benchmarks.vs_faster_whisper import VARIANTS
from tests.benchmarks.watch import MIB

BATCH_MINUTES = 2.5
"""Eight windows of at most 15 s, and pauses."""


def run(bench: Bench) -> Iterable[Figure]:
    """Ours on a long file and on one that fills a batch; the peers on an hour."""
    from tests.benchmarks import ctranslate  # only the environment of `make bench` has it

    hour = corpus.mp3(bench.long(bench.sizes.long_minutes))
    hours = bench.sizes.hours
    times = max(1, round(hours * 60 / bench.sizes.long_minutes))
    long = repeated(hour, times, bench.scratch / "long.mp3")
    batch = ours.transcribe(bench, [corpus.mp3(bench.long(BATCH_MINUTES))])
    say(f"  ours, {BATCH_MINUTES} min: {batch.peak / MIB:.0f} MiB")
    whole = ours.transcribe(bench, [long])
    say(f"  ours, {hours:g} h: {whole.peak / MIB:.0f} MiB, {whole.seconds:.0f} s")
    openai = peers.openai_whisper(bench.checkpoint, [hour], bench.threads, **peers.GREEDY_OPTIONS)
    faster = peers.faster_whisper(
        ctranslate.converted(bench.checkpoint), [hour], bench.threads,
        **next(iter(VARIANTS.values())),
    )  # fmt: skip
    peaks = batch.peak, whole.peak, openai.peak, faster.peak
    return summarise(hours, bench.sizes.long_minutes, *peaks)


def summarise(
    hours: float, peers_minutes: float, batch: int, whole: int, openai: int, faster: int
) -> list[Figure]:
    """Peaks in bytes to figures in MiB."""
    sampled = "peak resident memory, ffmpeg included, seen every 50 ms"
    figures = [
        Figure(
            f"memory_10h.{hours:g} h more than {BATCH_MINUTES} min", (whole - batch) / MIB, "MiB",
            note=f"{whole / MIB:.0f} MiB against {batch / MIB:.0f} MiB: {sampled}",
        )
    ]  # fmt: skip
    for peer, peak in (("openai-whisper greedy", openai), ("faster-whisper batched", faster)):
        name = f"{peer} on {peers_minutes:.0f} min"
        figures.append(
            against(f"memory_10h.{hours:g} h against {name}", whole / MIB, peak / MIB, "MiB",
                    peer=name, note=sampled)
        )  # fmt: skip
    return figures


def repeated(part: Path, times: int, target: Path) -> Path:
    """An MP3 file without a header so many times over: its frames stand for themselves."""
    with target.open("wb") as file:
        for _ in range(times):
            file.write(part.read_bytes())
    return target
