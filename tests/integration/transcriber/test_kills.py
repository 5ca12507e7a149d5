"""Workers killed at random moments, again and again, deliver what an undisturbed run delivers.

The same text with the same times, and no part is stored twice.

Run in a small size with the other tests; `make chaos` does it in full, with 60 kills in all.
"""

import os
import random

import pytest

from dev.commands import wait_until
from tests.integration.transcriber.worker import Cluster, Worker
from transcription_contract.task import Task

KILLS = 15 if "CHAOS" in os.environ else 2
"""For each number of workers."""

ENVIRONMENT = {"SLICE_SECONDS": "60", "OMP_NUM_THREADS": "1"}
LATEST_SECONDS = 9.0
"""A worker imports torch for some seconds, and then has a few seconds of work."""


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster, talk: str) -> dict[str, bytes]:
    task = cluster.task(talk)
    worker = cluster.run(task, environment=ENVIRONMENT)
    assert worker.process.returncode == 0, worker.log
    return cluster.outputs(task)


class Controller:
    """Starts a pod anew when one has died, as the Job controller does."""

    def __init__(self, cluster: Cluster, task: Task) -> None:
        self.cluster = cluster
        self.task = task
        self.kills = 0
        self.resumed = 0
        self.workers = [self._start(index) for index in range(task.workers)]

    def kill_at_random(self, chance: random.Random) -> None:
        """Wait for a random moment of a random worker's life, and end it."""
        index = chance.randrange(self.task.workers)
        victim, moment = self.workers[index], chance.uniform(0.0, LATEST_SECONDS)
        wait_until(
            "the moment has come",
            lambda: victim.age > moment or victim.process.poll() is not None,
            timeout=60,
        )
        if victim.process.poll() is None:
            victim.process.kill()
            self.kills += 1
        victim.wait()
        self.resumed += victim.log.count("stored already")
        self.workers[index] = self._start(index)

    def finish(self) -> None:
        """Let everybody end in peace."""
        for worker in self.workers:
            assert worker.wait() == 0, worker.log

    def _start(self, index: int) -> Worker:
        return self.cluster.start(self.task, index, ENVIRONMENT)


@pytest.mark.chaos
@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_workers_killed_at_random_moments_deliver_the_same_text_and_times(
    cluster: Cluster, talk: str, undisturbed: dict[str, bytes], workers: int
) -> None:
    chance = random.Random(workers)
    kills = 0
    while kills < KILLS:
        task = cluster.task(talk, workers=workers)
        controller = Controller(cluster, task)
        # A job that is never left alone would never end: so many kills, and then another job.
        for _ in range(min(KILLS - kills, 4 * workers)):
            controller.kill_at_random(chance)
        controller.finish()
        assert cluster.outputs(task) == undisturbed
        assert not cluster.parts(task), "the workspace is removed"
        kills += controller.kills
        print(f"{workers} workers: {controller.kills} kills, {controller.resumed} units resumed")
