import asyncio
import copy
from contextlib import suppress

from tests.unit.virtual_time import run
from transcription_kube.errors import (
    ConflictError,
    NotFoundError,
    UnreachableError,
)
from transcription_kube.lease import Elector, Record, Timing

DURATION = Timing().duration
DEADLINE = Timing().deadline


def lease(holder="a", duration=15, **spec):
    fields = {"holderIdentity": holder, "leaseDurationSeconds": duration, **spec}
    return Record({"metadata": {"name": "l", "resourceVersion": "7"}, "spec": fields})


class Store:
    """The API server's part: one Lease, and resourceVersions. ``down`` has it not answer at all."""

    def __init__(self):
        self.lease = None
        self.version = 0
        self.down = False

    def edit(self, **spec):
        self.version += 1
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        self.lease["spec"] |= spec

    @property
    def holder(self):
        return self.lease["spec"].get("holderIdentity") if self.lease else None

    async def request(self, method, path, *, body=None):
        assert path.startswith("/apis/coordination.k8s.io/v1/namespaces/system/leases")
        await asyncio.sleep(0.01)
        if self.down:
            await asyncio.Event().wait()
        if method == "POST":
            if self.lease:
                raise ConflictError(409, "exists")
            return self._store(body)
        if self.lease is None:
            raise NotFoundError(404, "none")
        if method == "PUT":
            if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                raise ConflictError(409, "changed")
            return self._store(body)
        return copy.deepcopy(self.lease)

    def _store(self, body):
        self.version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)


class Wire:
    """One elector's connection, which can be cut."""

    def __init__(self, store):
        self.store = store
        self.cut = False

    async def request(self, *arguments, **named):
        if self.cut:
            raise UnreachableError("no route to host")
        return await self.store.request(*arguments, **named)


class Candidate:
    """An elector with work that only watches how it goes."""

    def __init__(self, store, name, active):
        self.wire = Wire(store)
        self.active = active
        self.name = name
        self.works = asyncio.Event()
        self.told = []
        self.stopping = 0.0
        self.elector = Elector(self.wire, "system", "operator", name, changed=self.told.append)
        self.task = asyncio.create_task(self.elector.lead(self.work))

    async def work(self):
        self.active.add(self.name)
        assert len(self.active) == 1, f"at once: {self.active}"
        self.works.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self.stopping)
            self.active.discard(self.name)
            self.works.clear()

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def now():
    return asyncio.get_running_loop().time()


def scenario(check, names=("a", "b")):
    """Run a check with a store and candidates that begin in order."""

    async def whole():
        store, active = Store(), set()
        candidates = []
        for name in names:
            candidates.append(Candidate(store, name, active))
            await asyncio.sleep(1)
        try:
            await check(store, *candidates)
        finally:
            for each in candidates:
                each.task.cancel()
            await asyncio.gather(*(each.task for each in candidates), return_exceptions=True)

    run(whole())
