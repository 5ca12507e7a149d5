"""What one namespace's refused or hanging jobs cost, and what the others notice of them: the real
reconciler and workqueue, with a cluster that answers within 20 ms and 50 requests/s, in virtual
time."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit import virtual_time
from tests.unit.operator.builders import NOW, keep, settings
from transcription_kube.errors import ApiError
from transcription_kube.throttle import FairBucket
from transcription_operator.policies.refusals import PodRefusal
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler
from transcription_operator.runtime.workqueue import WorkQueue

Json = dict[str, Any]

QUOTA = "exceeded quota: jobs, requested: count/jobs.batch=1, used: count/jobs.batch=5"
LATEST_RETRY = 60.0
"""The Job controller's MaxJobApiBackOff."""


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def transcription_job(namespace: str, name: str) -> Json:
    return {
        "metadata": {
            "name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "1",
            "generation": 1, "creationTimestamp": "2026-11-22T12:00:00Z",
        },
        "spec": {
            "source": {"uri": "s3://recordings/standup.mp3"},
            "output": {"uri": "s3://transcripts/standup/"},
        },
    }  # fmt: skip


class World:
    """A cluster whose namespaces may refuse Jobs or pods, and the operator that works on it.

    ``tried``, ``accepted``: of each namespace, when Jobs were created, and those that were not
    refused. ``requests``: when each request was made.
    """

    def __init__(self) -> None:
        self.refuses_jobs: set[str] = set()
        self.refuses_pods: set[str] = set()
        self.hangs: set[str] = set()
        self.tried: dict[str, list[float]] = {}
        self.accepted: dict[str, list[float]] = {}
        self.requests: list[float] = []
        self._version = 1
        self._objects: dict[str, Json] = {}
        self._bucket = FairBucket(qps=50, burst=100)
        self._caches = Caches(lambda key: self.queue.add(key))
        reconciler = Reconciler(
            self,  # type: ignore[arg-type]
            self._caches,
            settings(),
            lambda _: None,
            clock=self._clock,
        )
        self.queue = WorkQueue(reconciler.reconcile)

    def apply(self, namespace: str, name: str) -> None:
        found = transcription_job(namespace, name)
        self._objects[f"{namespace}/{name}"] = found
        keep(self._caches.owners, found)
        self.queue.add(f"{namespace}/{name}")

    def rate(self, begin: float, end: float) -> float:
        return sum(1 for at in self.requests if begin <= at < end) / (end - begin)

    async def create_job(self, namespace: str, manifest: Json) -> Json:
        await self._request(namespace)
        self.tried.setdefault(namespace, []).append(loop_time())
        if namespace in self.hangs:
            await asyncio.sleep(10)
            raise ApiError(500, 'failed calling webhook "slow.example": context deadline exceeded')
        name = manifest["metadata"]["name"]
        if namespace in self.refuses_jobs:
            raise ApiError(403, f'jobs.batch "{name}" is forbidden: {QUOTA}')
        self.accepted.setdefault(namespace, []).append(loop_time())
        metadata = manifest["metadata"] | {
            "uid": f"job-{name}",
            "resourceVersion": self._next_version(),
            "creationTimestamp": self._clock().isoformat(),
        }
        if namespace in self.refuses_pods:
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, self._refuse_pods, namespace, name, 1.0)
        return manifest | {"metadata": metadata}

    async def patch_status(self, namespace: str, name: str, patch: Json) -> Json:
        await self._request(namespace)
        found = self._objects[f"{namespace}/{name}"]
        status = {k: v for k, v in patch["status"].items() if v is not None}
        metadata = found["metadata"] | {"resourceVersion": self._next_version()}
        found |= {"metadata": metadata, "status": found.get("status", {}) | status}
        return json.loads(json.dumps(found))

    async def create_event(self, namespace: str, _: Json) -> None:
        await self._request(namespace)

    async def patch_event(self, namespace: str, *_: Any) -> bool:
        await self._request(namespace)
        return True

    async def get_transcription_job(self, namespace: str, name: str) -> Json:
        await self._request(namespace)
        return self._objects[f"{namespace}/{name}"]

    async def _request(self, namespace: str) -> None:
        await asyncio.sleep(self._bucket.reserve(namespace, loop_time()))
        self.requests.append(loop_time())
        await asyncio.sleep(0.02)

    def _refuse_pods(self, namespace: str, job: str, wait: float) -> None:
        """As the Job controller does: an Event for each try, with another pod's name."""
        if namespace not in self.refuses_pods:
            return
        pod = f"{job}-0-{self._version % 100000:05}"
        event = {
            "metadata": {"name": f"{job}.1", "namespace": namespace,
                         "resourceVersion": self._next_version()},
            "involvedObject": {"name": job, "uid": f"job-{job}"},
            "message": f'Error creating: pods "{pod}" is forbidden: {QUOTA}',
            "lastTimestamp": self._clock().isoformat(),
        }  # fmt: skip
        refusal = PodRefusal.parse(event)
        assert refusal is not None
        if owner := self._caches.refused_pods.put(refusal):
            self.queue.add(owner)
        longer = min(2 * wait, LATEST_RETRY)
        asyncio.get_running_loop().call_later(wait, self._refuse_pods, namespace, job, longer)

    def _next_version(self) -> str:
        self._version += 1
        return str(self._version)

    @staticmethod
    def _clock() -> datetime:
        return NOW + timedelta(seconds=loop_time())


def play(scenario: Callable[[World], Coroutine[Any, Any, None]]) -> World:
    world = World()

    async def run() -> None:
        work = asyncio.create_task(world.queue.run())
        try:
            await scenario(world)
        finally:
            work.cancel()
            await asyncio.wait([work])

    virtual_time.run(run())
    return world


REFUSED = pytest.mark.parametrize("refused", ["refuses_jobs", "refuses_pods"])


def apply_many(world: World, number: int) -> None:
    for each in range(number):
        world.apply("media", f"j{each}")


@REFUSED
def test_a_thousand_refused_jobs_cost_less_than_two_requests_a_second(refused: str) -> None:
    async def scenario(world: World) -> None:
        getattr(world, refused).add("media")
        apply_many(world, 1000)
        await asyncio.sleep(900)

    assert play(scenario).rate(600, 900) < 2


@REFUSED
def test_a_new_job_is_looked_at_while_five_thousand_of_another_namespace_are(refused: str) -> None:
    async def scenario(world: World) -> None:
        getattr(world, refused).add("media")
        apply_many(world, 5000)
        await asyncio.sleep(20)
        world.apply("other", "standup")
        await asyncio.sleep(20)

    world = play(scenario)
    assert world.rate(0, 40) > 45
    assert world.tried["other"][0] - 20 < 2


def test_a_new_job_does_not_wait_for_those_of_a_namespace_whose_webhook_hangs() -> None:
    async def scenario(world: World) -> None:
        world.hangs.add("media")
        apply_many(world, 200)
        await asyncio.sleep(15)
        world.apply("other", "standup")
        await asyncio.sleep(20)

    world = play(scenario)
    assert world.tried["other"][0] - 15 < 2


@pytest.mark.parametrize(
    ("number", "lifted"),
    [(1, 120), (50, 120), (1000, 120), (1, 3000), (50, 3000)],
    ids=["one", "fifty", "a thousand", "one, refused for long", "fifty, refused for long"],
)
def test_jobs_are_accepted_soon_after_a_refusal_is_lifted(number: int, lifted: int) -> None:
    async def scenario(world: World) -> None:
        world.refuses_jobs.add("media")
        apply_many(world, number)
        await asyncio.sleep(lifted)
        world.refuses_jobs.clear()
        await asyncio.sleep(180)

    accepted = play(scenario).accepted["media"]
    assert len(accepted) == number
    assert accepted[0] - lifted <= 60
    assert accepted[-1] - accepted[0] < 2 + number * 4 / 50
