"""Killed, interrupted or in company: the same text and times, each window decoded once."""

import signal

import pytest

from dev import commands
from tests.integration.transcriber.gate import Gate
from tests.integration.transcriber.worker import Cluster, wait_until
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
    cluster: Cluster, gate: Gate, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk)
    gate.let(2)
    first = cluster.start(task, environment=SHARDS | gate.environment)
    wait_until(lambda: gate.held == 1, first)
    first.process.send_signal(signal.SIGKILL)
    first.wait()
    commands.wait_until("its upload is given up", lambda: gate.held == 0, timeout=10)
    before = cluster.parts(task)
    assert len(before) == 2

    gate.let(1)
    second = cluster.start(task, environment=SHARDS | gate.environment)
    wait_until(lambda: gate.held == 1, second)
    during = cluster.parts(task)
    resumed = second.metric(metric_names.UNITS_RESUMED)
    processed = second.metric(metric_names.PROCESSED_SECONDS)
    total = second.metric(metric_names.TOTAL_SECONDS)
    gate.open()
    assert second.wait() == 0, second.log

    assert len(during) == 3
    assert {name: during.get(name) for name in before} == before
    assert resumed == 2
    assert 0 < processed < total
    assert second.log.count("stored already") == 2
    assert cluster.outputs(task) == undisturbed


def words(outputs: dict[str, bytes]) -> list[bytes]:
    """The plain text: figures of another number of threads differ in their last digits."""
    return [content for name, content in outputs.items() if name.endswith(".txt")]


def test_progress_grows_towards_the_recording_s_length(
    cluster: Cluster, gate: Gate, talk: str
) -> None:
    task = cluster.task(talk)
    worker = cluster.start(task, environment=SHARDS | gate.environment)
    seen: list[float] = []
    for stored in range(4):
        wait_until(
            lambda stored=stored: gate.held == 1 and len(cluster.parts(task)) == stored, worker
        )
        seen.append(worker.metric(metric_names.PROCESSED_SECONDS))
        gate.let(1)
    total = worker.metric(metric_names.TOTAL_SECONDS)
    gate.open()
    assert worker.wait() == 0
    assert seen[0] == 0
    assert seen == sorted(set(seen))
    assert seen[-1] < total


def test_sigterm_stops_at_the_next_unit_and_another_pod_goes_on(
    cluster: Cluster, gate: Gate, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk)
    gate.let(1)
    first = cluster.start(task, environment=SHARDS | gate.environment)
    wait_until(lambda: gate.held == 1, first)
    first.process.terminate()
    gate.open()
    assert first.wait() == 143, first.log
    assert first.error.reason == "Interrupted"

    assert cluster.run(task, environment=SHARDS).process.returncode == 0
    assert cluster.outputs(task) == undisturbed


def test_two_workers_share_a_recording(
    cluster: Cluster, gate: Gate, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task = cluster.task(talk, workers=2)
    workers = [cluster.start(task, index, SHARDS | gate.environment) for index in range(2)]
    wait_until(lambda: gate.held == 2, workers[0])
    gate.open()
    assert [worker.wait() for worker in workers] == [0, 0], [each.log for each in workers]
    assert cluster.outputs(task) == undisturbed
    assert all("windows, " in worker.log for worker in workers)


def test_a_worker_with_other_threads_uses_what_is_stored(
    cluster: Cluster, gate: Gate, talk: str, undisturbed: dict[str, bytes]
) -> None:
    task: Task = cluster.task(talk)
    gate.let(1)
    first = cluster.start(task, environment=SHARDS | gate.environment)
    wait_until(lambda: gate.held == 1, first)
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
