import asyncio

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from transcription_operator.runtime.queue_metrics import QueueMetrics
from transcription_operator.runtime.workqueue import WorkQueue


class Observed:
    """A workqueue's metrics, and the time that they measure."""

    def __init__(self):
        self.now = 0.0
        self._registry = CollectorRegistry()
        self.metrics = QueueMetrics(self._registry, "q", lambda: self.now)

    def __getitem__(self, name):
        """The value of workqueue_NAME."""
        lines = generate_latest(self._registry).decode().splitlines()
        (value,) = [x.split()[1] for x in lines if x.startswith(f'workqueue_{name}{{name="q"}}')]
        return float(value)


@pytest.fixture
def observed():
    return Observed()


def test_a_key_is_measured_from_its_addition_until_it_is_done(observed):
    observed.metrics.on_add("a")
    observed.now = 2.0
    assert observed["depth"] == 1
    observed.metrics.on_get("a")
    assert (observed["depth"], observed["queue_duration_seconds_sum"]) == (0, 2)
    observed.now = 5.0
    observed.metrics.on_done("a")
    assert observed["work_duration_seconds_sum"] == 3
    assert (observed["adds_total"], observed["retries_total"]) == (1, 0)


def test_what_hangs_is_seen_before_it_is_done(observed):
    for key in ("a", "b"):
        observed.metrics.on_add(key)
        observed.metrics.on_get(key)
        observed.now += 10.0
    assert observed["unfinished_work_seconds"] == 30
    assert observed["longest_running_processor_seconds"] == 20
    observed.metrics.on_done("a")
    assert observed["longest_running_processor_seconds"] == 10


def test_a_key_that_is_added_again_while_it_is_processed_waits_from_then(observed):
    observed.metrics.on_add("a")
    observed.metrics.on_get("a")
    observed.now = 1.0
    observed.metrics.on_add("a")
    observed.now = 4.0
    observed.metrics.on_done("a")
    observed.metrics.on_get("a")
    assert observed["queue_duration_seconds_sum"] == 3


async def test_the_workqueue_notifies_its_observer(observed):
    tries, done = 0, asyncio.Event()

    async def handle(_key):
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("the API server is away")
        done.set()

    queue = WorkQueue(handle, observer=observed.metrics)
    queue.add("a")
    queue.add("a")
    assert observed["depth"] == 1
    task = asyncio.create_task(queue.run())
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (observed["adds_total"], observed["retries_total"]) == (2, 1)
    assert observed["queue_duration_seconds_count"] == 2
    assert observed["depth"] == 0
