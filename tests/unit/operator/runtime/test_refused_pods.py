import asyncio
from datetime import timedelta

import pytest

from tests.unit.operator.builders import NOW
from tests.unit.operator.runtime.test_caches import CHILD, child
from transcription_kube.informer import Informer
from transcription_kube.store import Store
from transcription_operator.policies.observation import ObservedJob
from transcription_operator.policies.refusals import PodRefusal
from transcription_operator.runtime.refused_pods import RefusedPods, Unkept

QUOTA = "exceeded quota: gpus, used: nvidia.com/gpu=7"
OWNER = "media/standup"
JOB = ObservedJob.parse(child())


def refusal(message: str = QUOTA, seconds: float = 0, **fields: object) -> PodRefusal:
    at = NOW + timedelta(seconds=seconds)
    version = 10 + int(seconds)
    values = {"job": f"media/{CHILD}", "job_uid": "job-uid", "at": at, "version": version}
    return PodRefusal(**{**values, "message": message, **fields})  # type: ignore[arg-type]


@pytest.fixture
def jobs() -> Store[ObservedJob]:
    jobs: Store[ObservedJob] = Store(lambda *_: None)
    jobs.put(f"media/{CHILD}", JOB)
    return jobs


NEWS = [
    ("the same once more", refusal(seconds=60), False),
    ("with other numbers", refusal(QUOTA.replace("7", "8"), seconds=60), False),
    ("with other numbers, later", refusal(QUOTA.replace("7", "8"), seconds=600), True),
    ("for another reason", refusal("violates PodSecurity", seconds=60), True),
]


@pytest.mark.parametrize(("second", "is_news"), [n[1:] for n in NEWS], ids=[n[0] for n in NEWS])
def test_the_owner_is_reconciled_for_what_is_new(jobs, second, is_news):
    refused = RefusedPods(jobs)
    assert refused.put(refusal()) == OWNER
    assert (refused.put(second) == OWNER) is is_news
    latest = refused.of(JOB)
    assert latest
    assert (latest.message == second.message) is (is_news or second.message == QUOTA)


def test_a_refusal_after_a_resume_is_new(jobs):
    refused = RefusedPods(jobs)
    refused.put(refusal())
    started = {"status": {"startTime": (NOW + timedelta(seconds=30)).isoformat()}}
    jobs.put(f"media/{CHILD}", ObservedJob.parse(child() | started))
    assert refused.put(refusal(seconds=31)) == OWNER


STRANGERS = [
    ("somebody else's Job", {"job": "media/other"}),
    ("an earlier Job of that name", {"job_uid": "before"}),
    ("of another namespace", {"job": f"evil/{CHILD}"}),
]


@pytest.mark.parametrize("fields", [s[1] for s in STRANGERS], ids=[s[0] for s in STRANGERS])
def test_nothing_is_kept_of_other_jobs(jobs, fields):
    refused = RefusedPods(jobs)
    assert refused.put(refusal(**fields)) is None
    assert len(refused) == 0


def test_at_most_one_is_kept_of_a_job_and_none_when_it_is_gone(jobs):
    refused = RefusedPods(jobs)
    for number in range(100):
        refused.put(refusal(f"violates rule {number}", seconds=number * 700))
    assert len(refused) == 1
    refused.forget("job-uid")
    assert len(refused) == 0


async def test_an_informer_of_events_reports_each_and_keeps_none(jobs):
    event = {
        "metadata": {"name": f"{CHILD}.1", "namespace": "media", "resourceVersion": "12"},
        "involvedObject": {"kind": "Job", "name": CHILD, "uid": "job-uid"},
        "message": QUOTA,
        "lastTimestamp": "2026-11-22T12:00:00Z",
    }

    class Events:
        name = "events"
        namespace = None

        async def pages(self):
            yield [event], "12"

        async def watch(self, _):
            for change in ("MODIFIED", "DELETED"):
                yield {"type": change, "object": event}
            await asyncio.Event().wait()

    refused, reported, store = RefusedPods(jobs), [], Unkept()

    def changed(_key, _before, refusal):
        reported.append(refused.put(refusal))
        if len(reported) == 2:
            done.set()

    done = asyncio.Event()
    task = asyncio.create_task(Informer(Events(), store, PodRefusal.parse, changed).run())
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    assert reported == [OWNER, None]
    assert len(store) == 0
    assert refused.of(JOB)
