"""`make bench`: run benchmarks and write their figures; see the README beside this file."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from dev.errors import DevError
from dev.paths import ROOT
from dev.say import say
from tests.benchmarks import (
    accuracy,
    first_part,
    many_files,
    memory,
    random_weights,
    real_speech,
    report,
    scheduler,
    vs_faster_whisper,
    vs_openai_whisper,
    workers,
)
from tests.benchmarks.bench import Bench, Sizes, bench
from tests.benchmarks.report import Figure

Run = Callable[[Bench], Iterable[Figure]]


def _of_operator(module: str) -> Run:
    """Imported when it runs: the operator's packages need not be there for the others."""

    def run(bench: Bench) -> Iterable[Figure]:
        try:
            measured: Run = import_module(f"tests.benchmarks.{module}").run
        except ModuleNotFoundError as error:
            raise DevError(f"It needs the operator's packages: {error}") from error
        return measured(bench)

    return run


BENCHMARKS: dict[str, Run] = {
    "accuracy": accuracy.run,
    "real_speech": real_speech.run,
    "throughput_vs_openai_whisper": vs_openai_whisper.run,
    "throughput_vs_openai_whisper_cli": vs_openai_whisper.run_command,
    "throughput_vs_faster_whisper": vs_faster_whisper.run,
    "decode_random_weights": random_weights.run,
    "memory_10h": memory.run,
    "speedup_workers": workers.run,
    "scheduler_speedup_8": scheduler.run,
    "first_part_seconds": first_part.run,
    "many_files_overhead": many_files.run,
    "operator_jobs_per_second": _of_operator("operator_rate"),
    "create_latency_p99": _of_operator("operator_latency"),
    "api_writes_per_job": _of_operator("operator_writes"),
    "status_lag_p95_5000_active": _of_operator("operator_lag"),
    "operator_memory_10000_jobs": _of_operator("operator_memory"),
    "fairness_start_seconds": _of_operator("operator_fairness"),
    "queue_writes_per_end": _of_operator("operator_queue"),
}


def main() -> int:
    """Run what is asked for, each on its own; a benchmark that fails leaves its old figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    failed = []
    with bench(Sizes.read(os.environ)) as surroundings:
        for name in names:
            if not _measure(name, surroundings, given.out):
                failed.append(name)
    if failed:
        say(f"These failed, and kept their old figures: {', '.join(failed)}")
    return 1 if failed else 0


def _measure(name: str, surroundings: Bench, out: Path) -> bool:
    say(f"\n=== {name}")
    began = time.monotonic()
    try:
        figures = list(BENCHMARKS[name](surroundings))
    except (DevError, AssertionError) as error:
        say(f"{name}: {error}")
        return False
    report.save(out, report.merged(report.load(out), figures))
    for figure in figures:
        say(f"  {report.row(figure)}")
    say(f"{name}: {time.monotonic() - began:.0f} s")
    return True


if __name__ == "__main__":
    sys.exit(main())
