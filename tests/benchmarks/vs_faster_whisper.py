"""throughput_vs_faster_whisper: the same weights, converted to CTranslate2."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tests.benchmarks import corpus, peers
from tests.benchmarks.bench import Bench
from tests.benchmarks.peers import Run
from tests.benchmarks.race import compare
from tests.benchmarks.report import Figure
from tests.benchmarks.vs_openai_whisper import contenders

_BATCHED: dict[str, Any] = {
    "batched": True, "batch_size": 8, "beam_size": 1, "without_timestamps": False,
    "chunk_length": 15,
}  # fmt: skip

VARIANTS: dict[str, dict[str, Any]] = {
    "batched, timestamps, 15 s, greedy": _BATCHED,
    "batched, its defaults": {"batched": True},
    "sequential, greedy": {
        "beam_size": 1, "temperature": 0.0, "condition_on_previous_text": False,
    },
    "batched, timestamps, 15 s, greedy, int8": {**_BATCHED, "compute_type": "int8"},
}  # fmt: skip
"""All with float32 but for the last."""


def run(bench: Bench) -> Iterable[Figure]:
    """Every variant against ours with both contexts."""
    from tests.benchmarks import ctranslate  # only the environment of `make bench` has it

    clip = bench.long(bench.sizes.long_minutes)
    path = corpus.mp3(clip)
    model = ctranslate.converted(bench.checkpoint)
    theirs: dict[str, Callable[[], Run]] = {
        f"faster-whisper {name}": partial(
            peers.faster_whisper, model, [path], bench.threads, **options
        )
        for name, options in VARIANTS.items()
    }
    return compare(
        "throughput_vs_faster_whisper", clip, contenders(bench, path), theirs,
        bench.sizes.rounds, bench.machine,
    )  # fmt: skip
