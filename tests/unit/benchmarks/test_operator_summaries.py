import asyncio
import os
import time

from tests.benchmarks import operator_lag, operator_latency, operator_rate, operator_writes
from tests.benchmarks.operator_rate import Reached
from tests.benchmarks.operator_stage import cpu_seconds, in_parallel, percentile, upto


def test_a_rate_is_the_jobs_through_the_median_of_the_rounds():
    ours = [Reached(1.0, 10.0), Reached(1.0, 50.0), Reached(1.0, 20.0)]
    figure = operator_rate.summarise(1000, ours, [Reached(1.0, 40.0)], threads=2)
    assert (figure.value, figure.ratio) == (50, 2)


def test_processor_time_is_that_of_one_job():
    figure = operator_rate.summarise_cpu(
        100, [Reached(1.0, 2.0, cpu=0.5)], [Reached(1.0, 2.0, 0.4)]
    )
    assert (figure.value, figure.ratio) == (5, 1.25)


def test_a_percentile_is_a_value_that_was_seen():
    values = [float(number) for number in range(200, 0, -1)]
    assert (percentile(values, 99), percentile(values, 50)) == (198, 100)
    assert percentile([3.0], 95) == 3


def test_latencies_are_told_in_milliseconds():
    p99, p50 = operator_latency.summarise([0.01, 0.02], [0.04, 0.04], threads=2)
    assert (p99.value, p99.ratio, p50.value) == (20, 0.5, 10)


def test_what_is_written_by_the_clock_is_no_jobs_write():
    asked = {("patch", "transcriptionjobs/status"): 6, ("post", "jobs"): 2, ("put", "leases"): 9,
             ("get", "leases"): 5, ("get", "pods"): 4, ("watch", "pods"): 1}  # fmt: skip
    writes, reads = operator_writes.summarise(2, asked)
    assert (writes.value, reads.value) == (4, 2)
    assert writes.note.endswith("PATCH transcriptionjobs/status 3.00, POST jobs 1.00")


def test_a_lag_is_that_of_all_but_a_twentieth():
    figure = operator_lag.summarise(500, [0.001 * number for number in range(1, 101)], threads=2)
    assert round(figure.value) == 95


def test_the_usual_numbers_come_first():
    assert upto(10_000) == [100, 1000, 10_000]
    assert upto(50) == [50]


def test_processor_time_is_read_of_a_process():
    assert 0 < cpu_seconds(os.getpid()) <= time.process_time() + 0.1


async def test_all_is_done_in_parallel_and_once():
    done: list[str] = []

    async def do(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    names = [str(number) for number in range(100)]
    await in_parallel(do, names)
    assert sorted(done) == sorted(names)
