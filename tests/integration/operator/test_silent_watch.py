"""A watch that is dead and does not say so, between an informer and a real API server."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.api import Api, transcription_jobs
from tests.integration.operator.fault_proxy import FaultProxy, Faults
from tests.integration.operator.wire import Access
from tests.stage import example
from transcription_kube.access import by_kubeconfig
from transcription_kube.client import ApiClient
from transcription_kube.informer import Informer
from transcription_operator.runtime.cluster import Cluster
from transcription_operator.runtime.owners import Owners

STALLED = "watch stalled"


async def test_a_silent_watch_of_transcription_jobs_is_cut_and_what_it_missed_is_found(
    operator_kubeconfig: Path,
    api: Api,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("transcription_kube.collection._SILENCE_SECONDS", 3.0)
    collection = transcription_jobs(namespace)
    await asyncio.to_thread(api.create, collection, example("standup"))
    access = Access.read(operator_kubeconfig)
    async with FaultProxy.open(access, random.Random(1)) as proxy, asyncio.timeout(60):
        proxy.faults = Faults(stall=(0.1, 0.1), stalls=1.0)
        client = ApiClient(await by_kubeconfig(str(proxy.kubeconfig(tmp_path / "proxied"))))
        owners, told = Owners(), asyncio.Queue[str]()
        informer = Informer(
            Cluster(client).transcription_jobs(namespace),
            owners.store,
            owners.parse,
            lambda key, *_: told.put_nowait(key),
        )
        running = asyncio.create_task(informer.run())
        assert await told.get() == f"{namespace}/standup"
        while not proxy.injected[STALLED]:
            await asyncio.sleep(0.01)
        proxy.faults = Faults()
        await asyncio.to_thread(api.delete, f"{collection}/standup")
        await asyncio.to_thread(api.create, collection, example("interview"))
        assert await told.get() == f"{namespace}/standup"
        assert await told.get() == f"{namespace}/interview"
        assert owners.all() == [f"{namespace}/interview"]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await client.close()
    lists = proxy.asked[("get", "transcriptionjobs")]
    assert (lists, proxy.injected[STALLED]) == (1, 1), "resumed from where it broke"
