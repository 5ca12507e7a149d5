"""Which one of several operators works: a Lease, as client-go's leader election has it
(https://pkg.go.dev/k8s.io/client-go/tools/leaderelection).

The clocks of two machines are never compared: a lease has run out when *we* have seen it unchanged
for as long as it says. The holder stops its work some seconds before others may think so.
"""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol
from urllib.parse import quote

from transcription_kube.errors import (
    ConflictError,
    KubeError,
    LeadershipLostError,
    NotFoundError,
    words,
)

Json = dict[str, Any]

_RELEASED_SECONDS = 1
"""A released lease's duration; the API server takes none of 0."""

log = logging.getLogger(__name__)


class Requests(Protocol):
    """What is needed of an ApiClient."""

    async def request(self, method: str, path: str, *, body: Json | None = None) -> Json:
        """As ApiClient's."""


@dataclass(frozen=True)
class Timing:
    """Seconds: how long a lease lasts without renewal, after how long without one its holder
    gives up, and how often it is looked at. Each must be shorter than the one before it."""

    duration: float = 12.0
    deadline: float = 8.0
    retry: float = 2.0


@dataclass(frozen=True)
class Record:
    """A Lease as it stands; ``manifest`` is all of it."""

    manifest: Json

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        return str(self.manifest["metadata"]["resourceVersion"])

    @property
    def holder(self) -> str:
        """Who holds it; empty for nobody."""
        return self._spec.get("holderIdentity") or ""

    @property
    def duration(self) -> float:
        """Seconds that it is valid without renewal."""
        return float(self._spec.get("leaseDurationSeconds") or 0)

    @property
    def _spec(self) -> Json:
        return self.manifest.get("spec") or {}


class Step(Enum):
    """What to do about a lease."""

    ACQUIRE = "acquire"
    RENEW = "renew"
    WAIT = "wait"


def decide(record: Record | None, me: str, observed: float, now: float) -> Step:
    """The next step.

    Args:
        record: the lease, or None when there is none.
        me: our identity.
        observed: when we first saw this version of it, by our monotonic clock.
        now: the same clock's now.
    """
    if record is None or not record.holder:
        return Step.ACQUIRE
    if record.holder == me:
        return Step.RENEW
    return Step.ACQUIRE if now - observed >= record.duration else Step.WAIT


def held(record: Record | None, name: str, me: str, duration: float, now: datetime) -> Json:
    """The Lease to write so that we hold it: a new one, or the old one changed."""
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    old = record.manifest if record else {"metadata": {"name": name}}
    spec = {**(old.get("spec") or {})}
    if record is None or record.holder != me:
        spec["acquireTime"] = time
        spec["leaseTransitions"] = spec.get("leaseTransitions", -1) + 1
    spec |= {
        "holderIdentity": me,
        "leaseDurationSeconds": math.ceil(duration),
        "renewTime": time,
    }
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": old["metadata"],
        "spec": spec,
    }


def released(record: Record) -> Json:
    """The Lease to write so that nobody holds it."""
    spec = record.manifest["spec"] | {
        "holderIdentity": "",
        "leaseDurationSeconds": _RELEASED_SECONDS,
    }
    return record.manifest | {"spec": spec}


class Elector:
    """One candidate.

    Args:
        client: with a pace of its own: behind a full bucket, a renewal comes too late.
        namespace, name: of the Lease, which is made when there is none.
        identity: ours; two processes of the same would both lead.
        timing: how long all takes.
        changed: told whether we lead, whenever that changes.
    """

    def __init__(
        self,
        client: Requests,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing = Timing(),
        changed: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace)}/leases"
        self._name = name
        self._me = identity
        self._timing = timing
        self._changed = changed
        self._record: Record | None = None
        self._observed = 0.0
        self._renewed = -math.inf

    @property
    def leads(self) -> bool:
        """Whether nobody else may lead now: false in time even when nothing could tell us."""
        mine = self._record is not None and self._record.holder == self._me
        return mine and _now() < self._renewed + self._timing.deadline

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait until we lead, then do the work; returns when it does, or raises its error.

        Cancelled, it first lets the work come to its end and then gives the lease back.

        Raises:
            LeadershipLostError: the lease could not be renewed; the work was cancelled before
                another operator may begin. This process had better end.
        """
        await self._acquire()
        log.info("leading as %s", self._me)
        self._changed(True)
        worker = asyncio.ensure_future(work())
        keeper = asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({worker, keeper}, return_when=asyncio.FIRST_COMPLETED)
            lost = not worker.done()
        finally:
            await self._wind_up(worker, keeper)
            self._changed(False)
        if lost:
            raise LeadershipLostError(
                f"the lease {self._name} could not be renewed for {self._timing.deadline:g} s, "
                "or another operator took it"
            )
        worker.result()

    async def _wind_up(self, worker: asyncio.Future[None], keeper: asyncio.Future[None]) -> None:
        """Stop the work while the lease is still ours, and give that back."""
        worker.cancel()
        await asyncio.wait({worker}, timeout=self._timing.duration - self._timing.deadline)
        keeper.cancel()
        await asyncio.wait({keeper})
        if not worker.done():
            log.error("the work does not stop; the lease is left to run out")
        elif self.leads:
            await self._release()

    async def _acquire(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._timing.deadline):
                    if await self._attempt():
                        return
            except (KubeError, TimeoutError) as error:
                log.warning("cannot look at the lease %s: %s", self._name, words(error))
            # Candidates that began at once part ways.
            await asyncio.sleep(self._timing.retry * random.uniform(1.0, 1.5))

    async def _keep(self) -> None:
        """Renew for ever; returns when the lease is lost."""
        while self.leads:
            left = self._renewed + self._timing.deadline - _now()
            try:
                async with asyncio.timeout(left):
                    await asyncio.sleep(min(self._timing.retry, left))
                    if not await self._attempt() and self.leads:
                        # Somebody wrote to it, and it is still ours.
                        await self._attempt()
            except (KubeError, TimeoutError) as error:
                log.warning("cannot renew the lease %s: %s", self._name, words(error))

    async def _attempt(self) -> bool:
        """Take or renew the lease, if that is ours to have."""
        if self._record is None or self._record.holder != self._me:
            await self._look()
        if decide(self._record, self._me, self._observed, _now()) is Step.WAIT:
            return False
        # Counted from before it was sent: others count from when they saw it.
        sent = _now()
        lease = held(self._record, self._name, self._me, self._timing.duration, datetime.now(UTC))
        try:
            await self._write(lease)
        except (ConflictError, NotFoundError):
            await self._look()
            return False
        self._renewed = sent
        return True

    async def _look(self) -> None:
        try:
            self._note(await self._client.request("GET", f"{self._collection}/{self._name}"))
        except NotFoundError:
            self._record = None

    async def _write(self, lease: Json) -> None:
        if self._record is None:
            self._note(await self._client.request("POST", self._collection, body=lease))
        else:
            path = f"{self._collection}/{self._name}"
            self._note(await self._client.request("PUT", path, body=lease))

    def _note(self, manifest: Json) -> None:
        found = Record(manifest)
        if self._record is None or self._record.version != found.version:
            self._observed = _now()
        self._record = found

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(self._timing.retry):
                # A renewal that was cut short may have been carried out: hence the look.
                await self._look()
                if self._record and self._record.holder == self._me:
                    await self._write(released(self._record))
        except (KubeError, TimeoutError) as error:
            log.warning("the lease %s is left to run out: %s", self._name, words(error))


def _now() -> float:
    return asyncio.get_running_loop().time()
