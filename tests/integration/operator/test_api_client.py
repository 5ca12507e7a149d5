"""The API client and leader election against a real API server, with the chart's rights."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from tests.api import Api
from tests.integration.operator.process import NAMESPACE, RELEASE
from transcription_kube.access import by_kubeconfig
from transcription_kube.client import ApiClient
from transcription_kube.errors import ApiError, LeadershipLostError
from transcription_kube.lease import Elector, Timing

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{RELEASE}"
QUICK = Timing(duration=4, deadline=3, retry=0.2)


@pytest.fixture
async def client(operator_kubeconfig):
    client = ApiClient(await by_kubeconfig(str(operator_kubeconfig)))
    yield client
    await client.close()


@asynccontextmanager
async def candidate(client, name):
    works = asyncio.Event()

    async def work():
        works.set()
        await asyncio.Event().wait()

    elector = Elector(client, NAMESPACE, RELEASE, name, QUICK)
    task = asyncio.create_task(elector.lead(work))
    try:
        yield works, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LeadershipLostError):
            await task


async def test_the_lease_goes_from_one_to_the_next_and_back_to_nobody(client, api: Api):
    async with candidate(client, "a") as (leading, _):
        await asyncio.wait_for(leading.wait(), 30)
        async with candidate(client, "b") as (following, _):
            # Longer than the lease: only renewals keep it.
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(following.wait(), 2 * QUICK.duration)
        assert api.get(LEASE)["spec"]["holderIdentity"] == "a"
    assert api.get(LEASE)["spec"]["holderIdentity"] == ""
    async with candidate(client, "c") as (next_one, _):
        await asyncio.wait_for(next_one.wait(), QUICK.duration)


async def test_a_lease_that_somebody_takes_is_lost(client, api: Api):
    async with candidate(client, "a") as (leading, task):
        await asyncio.wait_for(leading.wait(), 30)
        api.merge(LEASE, {"spec": {"holderIdentity": "b"}})
        with pytest.raises(LeadershipLostError):
            await asyncio.wait_for(task, 2 * QUICK.deadline)
    api.merge(LEASE, {"spec": {"holderIdentity": ""}})


async def test_no_other_lease_may_be_read(client):
    with pytest.raises(ApiError, match="403") as refusal:
        await client.request("GET", f"{LEASE}-of-another")
    assert refusal.value.status == 403


async def test_a_watch_tells_of_what_is_new_and_ends_when_the_server_says(client, namespace, api):
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    listed = await client.request("GET", path)
    query = [("watch", "true"), ("timeoutSeconds", "2"),
             ("resourceVersion", listed["metadata"]["resourceVersion"])]  # fmt: skip
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "x"}]}
    job = {"metadata": {"name": "a"}, "spec": {"suspend": True, "template": {"spec": pod}}}
    api.create(path, job)
    events = [event async for event in client.open_watch(path, query, read_timeout=20)]
    assert events[0]["type"] == "ADDED"
    assert events[0]["object"]["metadata"]["name"] == "a"
