"""throughput_vs_openai_whisper and its _cli: whole processes on one talk."""

from collections.abc import Callable, Iterable
from pathlib import Path

from tests.benchmarks import corpus, ours, peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.peers import Run
from tests.benchmarks.race import compare
from tests.benchmarks.report import Figure

Contenders = dict[str, Callable[[], Run]]


def run(bench: Bench) -> Iterable[Figure]:
    """Against transcribe(), greedy."""
    clip = bench.long(bench.sizes.long_minutes)
    path = corpus.mp3(clip)
    mine = contenders(bench, path)
    greedy = {
        "transcribe() greedy": lambda: peers.openai_whisper(
            bench.checkpoint, [path], bench.threads, **peers.GREEDY_OPTIONS
        )
    }
    return compare(
        "throughput_vs_openai_whisper", clip, mine, greedy, bench.sizes.rounds, bench.machine
    )


def run_command(bench: Bench) -> Iterable[Figure]:
    """Against the command `whisper` with its defaults."""
    clip = bench.long(bench.sizes.short_minutes)
    path = corpus.mp3(clip)
    mine = contenders(bench, path)
    command = {
        "whisper, beam 5": lambda: peers.whisper_command(bench.checkpoint, path, bench.threads)
    }
    return compare(
        "throughput_vs_openai_whisper_cli", clip, mine, command, bench.sizes.rounds, bench.machine
    )


def contenders(bench: Bench, path: Path) -> Contenders:
    """Ours, with both sizes of the encoder's context; a first run fills the model directory."""
    ours.warm_up(bench)
    return {
        "full context": lambda: ours.transcribe(bench, [path]),
        "window context": lambda: ours.transcribe(bench, [path], decoding=ours.WINDOW_CONTEXT),
    }
