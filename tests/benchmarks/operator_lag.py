"""status_lag_p95_5000_active: with many running jobs, from a pod's end to the job's.

The pods have no address, so that no progress is read.
"""

from collections.abc import Iterable

from dev.commands import wait_until
from tests.benchmarks.bench import Bench
from tests.benchmarks.operator_stage import (
    SHARED,
    OperatorStage,
    operator_stage,
    percentile,
)
from tests.benchmarks.report import Figure
from tests.integration.operator.company import DELIVERED
from tests.integration.operator.playing import Ending, PlayingKubelet
from tests.integration.operator.wire import paced

BETWEEN_SECONDS = 0.2
SECONDS_EACH = 0.5


def run(bench: Bench) -> Iterable[Figure]:
    """A tenth of them, and all."""
    most, ends = int(bench.sizes.operator_active), int(bench.sizes.operator_ends)
    for active in (most // 10, most):
        yield summarise(active, lags(active, min(ends, active)), bench.threads)


def lags(active: int, ends: int) -> list[float]:
    """Seconds, of so many of the jobs that are active."""
    with operator_stage() as stage, stage.running():
        kubelet = stage.play(lambda _name, _turn: None)
        names = [f"job-{number:05d}" for number in range(active)]
        stage.apply(names)
        phases = stage.witness.statuses
        wait_until(
            f"{active} jobs run",
            lambda: sum(phase == "Running" for phase, _ in list(phases.values())) == active,
            timeout=60 + SECONDS_EACH * active,
        )
        chosen = names[:: active // ends][:ends]
        began = stage.background.wait(_end(stage, kubelet, chosen))
        wait_until(
            "all that ended are told of",
            lambda: stage.witness.finished() == ends,
            timeout=60 + SECONDS_EACH * ends,
        )
        return [stage.witness.end_seen[name] - began[name] for name in chosen]


async def _end(stage: OperatorStage, kubelet: PlayingKubelet, names: list[str]) -> dict[str, float]:
    """One after the other, at a pace; when each began to end."""
    return {
        names[index]: await kubelet.end(names[index], Ending(0, DELIVERED))
        async for index in paced(len(names), BETWEEN_SECONDS)
    }


def summarise(active: int, found: list[float], threads: int) -> Figure:
    """In milliseconds."""
    median, p95 = percentile(found, 50), percentile(found, 95)
    return Figure(
        f"status_lag_p95_5000_active.{active} active",
        1000 * p95,
        "ms",
        note=f"{len(found)} pods ended, one each {BETWEEN_SECONDS:g} s; median "
        f"{1000 * median:.0f} ms, longest {1000 * max(found):.0f} ms; no progress read; "
        + SHARED.format(threads=threads),
    )
