"""The operator's start, its long waits and its end, in virtual time, without an API server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from tests.unit import virtual_time
from tests.unit.operator.builders import UID, keep, settings
from transcription_kube.errors import ApiError, KubeError, UnreachableError
from transcription_operator.runtime.app import App
from transcription_operator.runtime.health import Health
from transcription_operator.runtime.metrics import Metrics

MINUTE, DAY = 60.0, 86400.0
Json = dict[str, Any]


class Collection:
    """One kind, of which there is nothing; ``answer`` may raise in place of each answer.

    ``namespace``: the one that was asked for, or the name of the selector.
    """

    def __init__(self, name: str, namespace: str | None, answer: Callable[[], object]) -> None:
        self.name = name
        self.namespace = namespace
        self._answer = answer

    async def pages(self) -> AsyncIterator[tuple[list[Json], str]]:
        self._answer()
        await asyncio.sleep(1)
        yield [], "1"

    async def watch(self, version: str) -> AsyncIterator[Json]:
        while True:
            self._answer()
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
            await asyncio.sleep(MINUTE)


class Cluster:
    """``answers``: by kind, what stands before each answer."""

    def __init__(self, **answers: Callable[[], object]) -> None:
        self._answers = answers

    def __getattr__(self, kind: str) -> Callable[[str | None], Collection]:
        return lambda where: Collection(kind, where, self._answers.get(kind, lambda: None))


class Operator:
    """An App, its metrics and its health."""

    def __init__(self, cluster: Any, **changes: Any) -> None:
        async def ask(*_: Any) -> str:
            raise AssertionError("there is no worker")

        metrics = Metrics("operator")
        self.app = App(cluster, settings(**changes), ask, metrics)
        self.health = Health(metrics.text, self.app.ready)
        # Of the machine's clock, which these tests do not wait for.
        self.health._checks.clear()
        self.metrics = metrics
        self.stop = asyncio.Event()

    def start(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.app.run(self.stop, self.health))

    def ages(self) -> list[float]:
        lines = self.metrics.text().decode().splitlines()
        name = "transcription_operator_watch_age_seconds{"
        return [float(line.split()[-1]) for line in lines if line.startswith(name)]


def now() -> float:
    return asyncio.get_running_loop().time()


def away(begin: float, end: float) -> Callable[[], object]:
    """An API server that does not answer from one second to another."""

    def answer() -> None:
        if begin <= now() < end:
            raise UnreachableError("nobody listens")

    return answer


def everywhere(answer: Callable[[], object]) -> Cluster:
    return Cluster(transcription_jobs=answer, jobs=answer, pods=answer)


async def looked_at(operator: Operator, until: float) -> list[float]:
    """The oldest cache, each 5 seconds; the operator must be healthy all the while."""
    oldest = []
    while now() < until:
        await asyncio.sleep(5)
        assert operator.health.problems() == []
        oldest.append(max(operator.ages()))
    return oldest


def test_a_standby_that_takes_over_after_three_days_is_neither_stale_nor_dead() -> None:
    async def scenario() -> None:
        operator = Operator(everywhere(away(3 * DAY, 3 * DAY + 20)))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, virtual_time.VirtualLoop)
        loop.skip(3 * DAY)
        running = operator.start()
        oldest = await looked_at(operator, 3 * DAY + 90)
        assert max(oldest) <= 90
        assert operator.app.ready.is_set()
        running.cancel()

    virtual_time.run(scenario())


def test_an_outage_of_a_quarter_of_an_hour_shows_in_the_metrics_and_restarts_nothing() -> None:
    async def scenario() -> None:
        operator = Operator(everywhere(away(10 * MINUTE, 25 * MINUTE)))
        running = operator.start()
        oldest = await looked_at(operator, 40 * MINUTE)
        assert not running.done()
        assert 15 * MINUTE < max(oldest) < 22 * MINUTE
        assert oldest[-1] <= 300
        running.cancel()

    virtual_time.run(scenario())


def test_an_operator_that_starts_in_an_outage_waits_for_its_end() -> None:
    async def scenario() -> None:
        operator = Operator(everywhere(away(0, 15 * MINUTE)))
        running = operator.start()
        await looked_at(operator, 15 * MINUTE)
        assert not operator.app.ready.is_set()
        await looked_at(operator, 16 * MINUTE)
        assert not running.done()
        assert operator.app.ready.is_set()
        running.cancel()

    virtual_time.run(scenario())


@pytest.mark.parametrize("late", ["transcription_jobs", "jobs", "pods"])
def test_nothing_is_reconciled_before_all_three_kinds_are_listed(late: str) -> None:
    """A Job that is not known yet looks like one that is gone."""

    async def scenario() -> None:
        operator = Operator(Cluster(**{late: away(0, MINUTE)}))
        running = operator.start()
        begun: list[float] = []

        async def reconcile(_: str) -> None:
            begun.append(now())

        operator.app.queue._handle = reconcile
        operator.app.queue.add("media/standup")
        await asyncio.sleep(MINUTE)
        assert begun == []
        await asyncio.sleep(MINUTE)
        assert len(begun) == 1
        running.cancel()

    virtual_time.run(scenario())


def test_an_operator_that_waits_for_the_api_server_can_be_stopped() -> None:
    async def scenario() -> None:
        operator = Operator(everywhere(away(0, DAY)))
        running = operator.start()
        await asyncio.sleep(5 * MINUTE)
        operator.stop.set()
        await asyncio.wait_for(running, 1)

    virtual_time.run(scenario())


@pytest.mark.parametrize("kind", ["transcription_jobs", "jobs", "pods"])
@pytest.mark.parametrize("status", [403, 404], ids=["no role", "no CRD"])
def test_a_refused_first_list_ends_it_with_one_sentence(kind: str, status: int) -> None:
    def refuse() -> None:
        raise ApiError(status, "cannot list them")

    said = f"{status}: {kind} cannot be listed: cannot list them. Check that the resource"

    async def scenario() -> None:
        with pytest.raises(KubeError, match=said):
            await asyncio.wait_for(Operator(Cluster(**{kind: refuse})).start(), 60)

    virtual_time.run(scenario())


def test_the_first_lists_come_one_after_the_other_and_namespaces_first() -> None:
    """Each takes tens of megabytes while it is read."""
    kinds = ("pods", "jobs", "transcription_jobs", "namespaces")
    begun: dict[str, float] = {}

    async def scenario() -> None:
        answers = {kind: partial(lambda k: begun.setdefault(k, now()), kind) for kind in kinds}
        operator = Operator(Cluster(**answers), watch_namespace_selector="transcribe=here")
        running = operator.start()
        await asyncio.sleep(10)
        assert operator.app.ready.is_set()
        running.cancel()

    virtual_time.run(scenario())
    assert begun == {"namespaces": 0, "transcription_jobs": 1, "jobs": 2, "pods": 3}


def test_each_of_several_namespaces_has_an_informer_for_each_kind() -> None:
    app = Operator(Cluster(), watch_namespaces=("media", "press")).app
    found = sorted((each.name, each._source.namespace) for each in app._informers)
    kinds = ("jobs", "pods", "transcription_jobs")
    assert found == [(kind, namespace) for kind in kinds for namespace in ("media", "press")]


@pytest.mark.parametrize("kind", ["jobs", "pods", "transcription_jobs"])
def test_what_nobody_foresaw_before_the_first_list_is_logged_at_once_and_ends_it(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    def surprise() -> None:
        raise KeyError("metadata")

    async def scenario() -> None:
        with pytest.raises(KeyError):
            await asyncio.wait_for(Operator(Cluster(**{kind: surprise})).start(), 60)

    with caplog.at_level(logging.CRITICAL):
        virtual_time.run(scenario())
    (logged,) = (each for each in caplog.records if each.levelno == logging.CRITICAL)
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], KeyError)


def test_a_loop_that_stands_still_is_dead() -> None:
    """Such as a callback of an informer that never returns to it."""

    async def scenario() -> None:
        operator = Operator(Cluster())
        running = operator.start()
        await asyncio.sleep(5)
        for informer in operator.app._informers:
            informer._turned.seconds = lambda: 401.0  # type: ignore[method-assign]
        assert operator.health.problems() == [
            "the informer of jobs: nothing for 401 s",
            "the informer of pods: nothing for 401 s",
            "the informer of transcription_jobs: nothing for 401 s",
        ]
        running.cancel()

    virtual_time.run(scenario())


async def test_labels_and_annotations_that_the_settings_propagate_are_cached():
    lists = {"propagated_labels": ("team",), "propagated_annotations": ("example.com/*",)}
    app = Operator(Cluster(), **lists).app
    metadata = {
        "name": "standup",
        "namespace": "media",
        "uid": UID,
        "resourceVersion": "1",
        "labels": {"team": "media", "tier": "gold"},
        "annotations": {"example.com/cost": "7", "note": "x"},
    }
    spec = {"source": {"uri": "s3://a/b.mp3"}, "output": {"uri": "s3://c/"}}
    keep(app.caches.owners, {"metadata": metadata, "spec": spec})
    kept = app.caches.owner("media/standup")
    assert kept is not None
    assert kept.metadata.labels == {"team": "media"}
    assert kept.metadata.annotations == {"example.com/cost": "7"}
