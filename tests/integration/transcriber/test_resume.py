"""Killed, interrupted or in company: the same text and times, each window decoded once."""

import signal
import subprocess
from contextlib import suppress
from http.client import HTTPException

import pytest

from tests.integration.transcriber.worker import Cluster, Worker, wait_until
from transcription_contract import metric_names
from transcription_contract.task import Task

SHARDS = {"SLICE_SECONDS": "30"}
"""Slices short enough that two minutes have several."""


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster, talk: str) -> dict[str, bytes]:
    task = cluster.task(talk)
    worker = cluster.run(task, environment=SHARDS)
    assert worker.process.returncode == 0, worker.log
    outputs = cluster.outputs(task)
    assert len(outputs) == 3
    return outputs


def test_the_same_job_gives_the_same_text(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk)
    assert cluster.run(task, environment=SHARDS).process.returncode == 0
    assert cluster.outputs(task) == undisturbed


def test_a_killed_worker_s_parts_are_not_decoded_again(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk)
    first = cluster.start(task, environment=SHARDS)
    wait_until(lambda: len(cluster.parts(task)) >= 2, first)
    first.process.send_signal(signal.SIGKILL)
    first.wait()
    before = cluster.parts(task)

    second = cluster.start(task, environment=SHARDS)
    wait_until(lambda: len(cluster.parts(task)) > len(before), second)
    during = cluster.parts(task)
    resumed = second.metric(metric_names.UNITS_RESUMED)
    processed = second.metric(metric_names.PROCESSED_SECONDS)
    total = second.metric(metric_names.TOTAL_SECONDS)
    assert second.wait() == 0, second.log

    assert {name: during.get(name) for name in before} == before
    assert resumed == len(before)
    assert 0 < processed <= total
    assert second.log.count("stored already") == len(before)
    assert cluster.outputs(task) == undisturbed


def words(outputs: dict[str, bytes]) -> list[bytes]:
    """The plain text: figures of another number of threads differ in their last digits."""
    return [content for name, content in outputs.items() if name.endswith(".txt")]


def ends_within(worker: Worker, seconds: float) -> bool:
    try:
        worker.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_progress_grows_towards_the_recording_s_length(cluster: Cluster, talk: str) -> None:
    task = cluster.task(talk)
    worker = cluster.start(task, environment=SHARDS)
    seen: list[float] = []
    wait_until(lambda: len(cluster.parts(task)) >= 1, worker)
    total = worker.metric(metric_names.TOTAL_SECONDS)

    while not ends_within(worker, 0.05):
        assert worker.age < 120, worker.log
        # The last reading may come too late: it has just ended.
        with suppress(OSError, StopIteration, HTTPException):
            seen.append(worker.metric(metric_names.PROCESSED_SECONDS))
    assert worker.wait() == 0
    assert seen == sorted(seen)
    assert len({value for value in seen if 0 < value < total}) >= 3
    # How near it comes depends on when we look: the worker ends soon after its last batch.
    assert seen[-1] <= total


def test_sigterm_stops_at_the_next_unit_and_another_pod_goes_on(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk)
    first = cluster.start(task, environment=SHARDS)
    wait_until(lambda: len(cluster.parts(task)) >= 1, first)
    first.process.terminate()
    assert first.wait() == 75, first.log
    assert first.error.reason == "Interrupted"

    assert cluster.run(task, environment=SHARDS).process.returncode == 0
    assert cluster.outputs(task) == undisturbed


def test_two_workers_share_a_recording(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk, workers=2)
    workers = [cluster.start(task, index, SHARDS) for index in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [each.log for each in workers]
    assert cluster.outputs(task) == undisturbed
    assert all("windows, " in worker.log for worker in workers), "one of them did nothing"


def test_a_worker_with_other_threads_uses_what_is_stored(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task: Task = cluster.task(talk)
    first = cluster.start(task, environment=SHARDS)
    wait_until(lambda: len(cluster.parts(task)) >= 1, first)
    first.process.kill()
    first.wait()

    second = cluster.run(task, environment={**SHARDS, "OMP_NUM_THREADS": "1"})
    assert second.process.returncode == 0, second.log
    assert second.log.count("stored already") >= 1
    assert words(cluster.outputs(task)) == words(undisturbed)


def test_two_workers_decode_each_batch_once(cluster: Cluster, talk: str) -> None:
    task = cluster.task(talk, workers=2)
    workers = [cluster.start(task, index, SHARDS) for index in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0], [each.log for each in workers]
    decoded = [
        line.split("groups/")[1].split(":")[0]
        for worker in workers
        for line in worker.log.splitlines()
        if " windows, " in line and "groups/" in line
    ]
    assert len(decoded) >= 4
    assert len(decoded) == len(set(decoded))
