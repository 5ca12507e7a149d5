"""decode_random_weights: official sizes without their weights.

Random weights say nothing, but they cost what real ones do. Both sides decode the same windows to
exactly STEPS tokens: the checkpoint's text context is twice that, which is where openai-whisper
stops, and its end-of-text token can never win.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dev.errors import DevError
from dev.say import say
from tests.benchmarks import engine_alone
from tests.benchmarks.bench import Bench
from tests.benchmarks.peers import call
from tests.benchmarks.random_model import (
    SMALL,
    SPREAD,
    STEPS,
    TINY,
    WINDOW_SECONDS,
    Size,
    silence_end,
)
from tests.benchmarks.report import Figure, against


@dataclass(frozen=True)
class Timing:
    """Seconds for all windows, by ours and by whisper.decode, at one batch size."""

    batch: int
    windows: int
    ours: float
    peer: float
    same_tokens: float


def run(bench: Bench) -> Iterable[Figure]:
    """tiny and small on the processor, as transcribe() would (a window at a time) and batched."""
    count = round(bench.sizes.random_windows)
    # A window of small takes seconds: one round tells enough.
    for size, rounds in ((TINY, bench.sizes.rounds), (SMALL, 1)):
        timings = _measure(size, (8, 1), count, rounds, bench.threads)
        yield from summarise("decode_random_weights", size.name, timings, bench.machine)


def summarise(benchmark: str, name: str, timings: Sequence[Timing], device: str) -> list[Figure]:
    """Audio seconds a second at each batch size; the peer has the same windows and batch."""
    return [
        against(
            f"{benchmark}.{name}, batch {one.batch}",
            one.windows * WINDOW_SECONDS / one.ours,
            one.windows * WINDOW_SECONDS / one.peer,
            "x real time",
            peer="whisper.decode, same batch",
            note=f"{one.windows} windows of {WINDOW_SECONDS} s, {STEPS} tokens each, "
            f"{one.ours / one.windows:.3f} s a window; {one.same_tokens:.0%} of windows alike; "
            f"{device}",
        )
        for one in timings
    ]


def _measure(
    size: Size, batches: Sequence[int], windows: int, rounds: float, threads: int
) -> list[Timing]:
    """In a process of its own, so that the next one finds the memory free."""
    with TemporaryDirectory() as folder:
        order, answer = Path(folder) / "order", Path(folder) / "answer"
        order.write_text(
            json.dumps(
                {"size": asdict(size), "batches": batches, "windows": windows, "rounds": rounds}
            )
        )
        call("tests.benchmarks.random_weights", [str(order), str(answer)], threads)
        timings = [Timing(**one) for one in json.loads(answer.read_text())]
    for one in timings:
        say(f"  {size.name}, batch {one.batch}: {one.ours:.2f} s, whisper.decode {one.peer:.2f} s")
    return timings


def checkpoint(size: Size, path: Path) -> None:
    """Write a checkpoint whose end-of-text token is the least likely one, always."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(1)
    state = Whisper(ModelDimensions(**size.dims)).state_dict()
    silence_end(state, SPREAD)
    torch.save({"dims": size.dims, "model_state_dict": state}, path)


def main(order: Path, answer: Path) -> None:
    """Time both on the same windows of noise."""
    wanted = json.loads(order.read_text())
    size = Size(**wanted["size"])
    path = order.with_name(f"{size.name}.pt")
    checkpoint(size, path)
    generator = np.random.default_rng(1)
    length = WINDOW_SECONDS * 16_000
    waveforms = [
        0.1 * generator.standard_normal(length, np.float32) for _ in range(wanted["windows"])
    ]
    engine = engine_alone.load(path, int(os.environ["OMP_NUM_THREADS"]))
    peer = _peer(path)

    def ours(windows: Sequence[Any]) -> list[list[int]]:
        decoded = engine.decode(windows, ["en"] * len(windows))
        return [[token for phrase in one.phrases for token in phrase.tokens] for one in decoded]

    for warm_up in (ours, peer):
        warm_up(waveforms[:1])
    timings = []
    for batch in wanted["batches"]:
        mine: list[float] = []
        theirs: list[float] = []
        for _ in range(max(1, round(wanted["rounds"]))):
            mine_said = _timed(ours, waveforms, batch, mine)
            their_said = _timed(peer, waveforms, batch, theirs)
        same = sum(a == b for a, b in zip(mine_said, their_said, strict=True)) / len(waveforms)
        timings.append(Timing(batch, len(waveforms), median(mine), median(theirs), same))
    answer.write_text(json.dumps([asdict(timing) for timing in timings]))


def _peer(path: Path) -> Callable[[Sequence[Any]], list[list[int]]]:
    """whisper.decode with its options as transcribe() has them at temperature 0."""
    import torch
    import whisper

    model = whisper.load_model(str(path))
    options = whisper.DecodingOptions(
        language="en", temperature=0.0, fp16=model.device.type == "cuda", sample_len=STEPS
    )

    def decode(windows: Sequence[Any]) -> list[list[int]]:
        mels = [
            whisper.pad_or_trim(
                whisper.log_mel_spectrogram(torch.from_numpy(window), model.dims.n_mels), 3000
            )
            for window in windows
        ]
        results = whisper.decode(model, torch.stack(mels).to(model.device), options)
        if any(len(result.tokens) != STEPS for result in results):
            raise DevError(f"A window with random weights did not come to {STEPS} tokens.")
        return [result.tokens for result in results]

    return decode


def _timed(
    decode: Callable[[Sequence[Any]], list[list[int]]],
    windows: Sequence[Any],
    batch: int,
    seconds: list[float],
) -> list[list[int]]:
    """Decode all windows, a batch at a time; results on the host mean that the GPU is done."""
    said: list[list[int]] = []
    began = time.monotonic()
    for first in range(0, len(windows), batch):
        said += decode(windows[first : first + batch])
    seconds.append(time.monotonic() - began)
    return said


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
