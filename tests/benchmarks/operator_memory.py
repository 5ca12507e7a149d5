"""operator_memory_10000_jobs: the operator's resident memory with ever more jobs, half of them
finished and half running; and of one that is started when they are all there."""

from collections.abc import Iterable
from pathlib import Path

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import OperatorStage, operator_stage, upto
from tests.benchmarks.report import Figure
from tests.benchmarks.watch import MIB
from tests.integration.operator.company import DELIVERED
from tests.integration.operator.playing import Ending

SECONDS_EACH = 0.5
NAME = "operator_memory_10000_jobs"


def run(bench: Bench) -> Iterable[Figure]:
    """One operator, to which jobs are added."""
    with operator_stage() as stage:
        stage.play(_script)
        with stage.running() as operator:
            assert operator.pid is not None
            yield _figure("no jobs", operator.pid)
            there = 0
            for count in upto(bench.sizes.operator_memory_jobs):
                stage.apply(_name(number) for number in range(there, count))
                there = count
                _await_half(stage, count)
                yield _figure(f"{count} jobs", operator.pid, "half finished, half running")
        with stage.running() as another:
            assert another.pid is not None
            # Its turn comes after theirs.
            stage.apply(["goes-on-last"])
            wait_until(
                "the last one runs",
                lambda: stage.witness.statuses.get("goes-on-last", ("", ""))[0] == "Running",
                timeout=60 + SECONDS_EACH * there,
            )
            yield _figure(f"{there} jobs, just started", another.pid)


def _name(number: int) -> str:
    return f"{'done' if number % 2 else 'goes-on'}-{number:05d}"


def _script(name: str, _turn: int) -> Ending | None:
    return Ending(0, DELIVERED) if name.startswith("done") else None


def _await_half(stage: OperatorStage, count: int) -> None:
    """Until half have ended and the others run."""

    def settled() -> bool:
        phases = [phase for phase, _ in list(stage.witness.statuses.values())]
        return (phases.count("Succeeded"), phases.count("Running")) == (count // 2, -(-count // 2))

    wait_until(f"half of {count} jobs have ended", settled, timeout=60 + SECONDS_EACH * count)


def _figure(what: str, pid: int, note: str = "") -> Figure:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = {key: int(rest.split()[0]) for key, _, rest in (line.partition(":") for line in lines)
           if key in ("VmRSS", "VmHWM")}  # fmt: skip
    told = [part for part in (note, f"at most {kib['VmHWM'] * 1024 / MIB:.0f} MiB so far") if part]
    return Figure(f"{NAME}.{what}", kib["VmRSS"] * 1024 / MIB, "MiB", note=", ".join(told))
