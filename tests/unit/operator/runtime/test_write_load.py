"""What many jobs that cannot start cost the API server, counted in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.unit import virtual_time
from tests.unit.operator.builders import NOW, controlled_by, keep, settings
from transcription_operator.policies import names
from transcription_operator.policies.names import CONTAINER
from transcription_operator.policies.observation import ObservedPod
from transcription_operator.runtime.caches import Caches
from transcription_operator.runtime.reconciler import Reconciler
from transcription_operator.runtime.workqueue import WorkQueue

HOUR = 3600.0
CAUSE = 'failed to pull "r.example/t:2": lookup r.example: read udp 10.1.0.9:{port}: timeout'


class CountingCluster:
    """An API server that carries out everything, and counts the requests by kind."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.objects: dict[str, dict[str, Any]] = {}
        self._version = 1

    def owner(self, name: str) -> dict[str, Any]:
        metadata = {
            "name": name, "namespace": "media", "uid": f"uid-of-{name}", "generation": 1,
            "creationTimestamp": "2026-11-22T12:00:00Z",
        }  # fmt: skip
        spec = {
            "source": {"uri": "s3://recordings/a.mp3"}, "output": {"uri": "s3://transcripts/a/"},
            "pendingDeadlineSeconds": 86400,
        }  # fmt: skip
        self.objects[name] = {"metadata": metadata, "spec": spec, "status": {}}
        return self._stored(name)

    def _stored(self, name: str) -> dict[str, Any]:
        self._version += 1
        self.objects[name]["metadata"]["resourceVersion"] = str(self._version)
        return self.objects[name]

    async def patch_status(self, _: str, name: str, patch: dict[str, Any]) -> dict[str, Any]:
        self.requests["status"] += 1
        self.objects[name]["status"] |= patch["status"]
        return self._stored(name)

    async def uid_of(self, _: str, name: str) -> str:
        return f"uid-of-{name}"

    async def create_job(self, _: str, job: dict[str, Any]) -> dict[str, Any]:
        metadata = job["metadata"] | {"uid": f"job-{job['metadata']['name']}"}
        return job | {"metadata": metadata | {"resourceVersion": "1"}}

    async def create_event(self, _: str, event: dict[str, Any]) -> None:
        self.requests["new Events"] += 1

    async def patch_event(self, *_: Any) -> bool:
        self.requests["Events counted"] += 1
        return True


class Installation:
    """Jobs with one pod each; the pods' states are played."""

    def __init__(self, jobs: int) -> None:
        loop = asyncio.get_running_loop()
        self.cluster = CountingCluster()
        self.caches = Caches(lambda _: None)
        reconciler = Reconciler(
            self.cluster,  # type: ignore[arg-type]
            self.caches,
            settings(),
            lambda _: None,
            clock=lambda: NOW + timedelta(seconds=loop.time()),
        )
        self.queue = WorkQueue(reconciler.reconcile)
        self.names = [f"job-{i}" for i in range(jobs)]
        for name in self.names:
            keep(self.caches.owners, self.cluster.owner(name))
            self.queue.add(f"media/{name}")

    def play(self, **status: Any) -> None:
        """Have the kubelet or the scheduler report the same of every pod."""
        for name in self.names:
            child = names.child_name(name, f"uid-of-{name}", 1)
            metadata = {
                "name": f"{child}-0-abcde", "namespace": "media",
                "ownerReferences": controlled_by(f"job-{child}"),
            }  # fmt: skip
            pod = {"metadata": metadata, "status": {"phase": "Pending"} | status}
            self.caches.pods.put(f"media/{child}-0-abcde", ObservedPod.parse(pod))
            self.queue.add(f"media/{name}")

    def wait(self, reason: str, message: str) -> None:
        """Have the kubelet report that the container waits."""
        waiting = {"waiting": {"reason": reason, "message": message}}
        self.play(containerStatuses=[{"name": CONTAINER, "state": waiting}])

    def status(self) -> dict[str, Any]:
        """Of one job, which all of them have."""
        return self.cluster.objects["job-0"]["status"]


def spent(jobs: int, play: Any) -> tuple[dict[str, float], dict[str, Any]]:
    """Requests per job, and the status in the end."""
    found: list[Any] = []

    async def scenario() -> None:
        installation = Installation(jobs)
        worker = asyncio.create_task(installation.queue.run())
        await play(installation)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        counts = installation.cluster.requests
        found.extend([{k: n / jobs for k, n in counts.items()}, installation.status()])

    virtual_time.run(scenario())
    return found[0], found[1]


def tries() -> Iterator[float]:
    """Seconds from one pull to the next, as the kubelet backs off, for an hour."""
    begun, pause = 0.0, 10.0
    while begun < HOUR:
        yield pause
        begun, pause = begun + pause, min(pause * 2, 300.0)


@pytest.mark.parametrize(
    ("jobs", "with_cause"),
    [(100, True), (10, False)],
    ids=["the kubelet repeats the cause", "a kubelet that was restarted does not"],
)
def test_jobs_with_a_wrong_image_write_a_few_times_an_hour(jobs, with_cause):
    async def play(installation: Installation) -> None:
        for port, pause in enumerate(tries(), start=40000):
            cause = CAUSE.format(port=port)
            installation.wait("ErrImagePull", cause)
            await asyncio.sleep(5)
            backoff = 'Back-off pulling image "r.example/t:2"'
            installation.wait(
                "ImagePullBackOff", f"{backoff}: ErrImagePull: {cause}" if with_cause else backoff
            )
            await asyncio.sleep(pause - 5)

    requests, status = spent(jobs, play)
    assert status["reason"] == "ImagePullBackOff"
    assert "timeout" in status["message"]
    assert requests["new Events"] == 1
    assert requests.get("Events counted", 0) == 0
    assert requests["status"] <= 12


def test_nodes_that_come_and_go_do_not_rewrite_every_pending_job():
    async def play(installation: Installation) -> None:
        for i in range(360):
            nodes, new = 50 + i, i % 3
            taint = f"{new} node(s) had untolerated taint {{not-ready}}, " if new else ""
            condition = {
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": f"0/{nodes} nodes are available: {taint}{nodes - new} Insufficient cpu.",
            }  # fmt: skip
            installation.play(conditions=[condition])
            await asyncio.sleep(10)
        await asyncio.sleep(600)

    requests, status = spent(1, play)
    assert requests["new Events"] == 1
    assert requests["status"] <= 65
    assert status["message"].startswith("0/409 nodes are available")


def test_a_problem_that_comes_and_goes_is_one_event_that_is_counted():
    async def play(installation: Installation) -> None:
        for _ in range(60):
            installation.wait("CreateContainerConfigError", 'secret "x" not found')
            await asyncio.sleep(30)
            installation.wait("ContainerCreating", "")
            await asyncio.sleep(30)

    requests, _ = spent(1, play)
    assert requests["new Events"] == 1
    assert 20 < requests["Events counted"] <= 25 + 12
