"""A kubelet that plays many pods at once: it writes the status of pods that no node runs.

Each pod goes from Pending to Running, stays there for as long as the script says, and ends as the
script says, with a termination message.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.api import ApiRefusal, Json, core
from tests.integration.operator.wire import Wire
from transcription_api import OWNER_UID_LABEL
from transcription_operator.policies import names
from transcription_operator.policies.names import CONTAINER

AT_ONCE = 32
"""Requests under way; more of them only wait in the API server."""


@dataclass(frozen=True)
class Ending:
    """How a pod ends, ``after`` so many seconds of running."""

    exit_code: int = 0
    message: str = ""
    after: float = 0.0


Script = Callable[[str, int], Ending | None]
"""A TranscriptionJob's name and its pod's turn, from 0 on -> that pod's ending; with None it runs
until ``end`` is called."""


class PlayingKubelet:
    """Plays the pods of a namespace, each of them once, over cuts and outages.

    ``turns``: how many pods each TranscriptionJob has had. ``running``: the path of the last pod of
    each TranscriptionJob that runs until told otherwise. ``requests``: so many it has sent.
    """

    def __init__(self, api: Wire, namespace: str, script: Script) -> None:
        self.turns: dict[str, int] = defaultdict(int)
        self.running: dict[str, str] = {}
        self._api = api
        self._pods = core(namespace, "pods")
        self._script = script
        self._room = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """For ever."""
        seen: set[str] = set()
        async with asyncio.TaskGroup() as lives:
            async for kind, pod in self._api.follow(self._pods, OWNER_UID_LABEL):
                metadata = pod["metadata"]
                if kind != "DELETED" and metadata["uid"] not in seen:
                    seen.add(metadata["uid"])
                    lives.create_task(self._play(metadata))

    async def end(self, job: str, ending: Ending) -> float:
        """End a running pod; the monotonic time just before the API server was told."""
        path = self.running.pop(job)
        began = time.monotonic()
        await self._set(path, ended(ending))
        return began

    async def _play(self, metadata: Json) -> None:
        job = metadata["annotations"][names.OWNER_NAME_ANNOTATION]
        ending = self._script(job, self.turns[job])
        self.turns[job] += 1
        path = f"{self._pods}/{metadata['name']}"
        try:
            await self._set(path, running())
            if ending is None:
                self.running[job] = path
                return
            await asyncio.sleep(ending.after)
            await self._set(path, ended(ending))
        except ApiRefusal as refusal:
            if refusal.status != 404:  # the pod was deleted
                raise

    async def _set(self, path: str, status: Json) -> None:
        async with self._room:
            await self._api.persist(self._api.merge, f"{path}/status", {"status": status})


def running() -> Json:
    """The status of a pod that works."""
    return _status("Running", {"running": {"startedAt": _now()}})


def ended(ending: Ending) -> Json:
    """The status of a pod that has done its work, or failed at it."""
    terminated = {
        "exitCode": ending.exit_code,
        "reason": "Error" if ending.exit_code else "Completed",
        "message": ending.message,
        "startedAt": _now(),
        "finishedAt": _now(),
    }
    return _status("Failed" if ending.exit_code else "Succeeded", {"terminated": terminated})


def _status(phase: str, state: Json) -> Json:
    container = {
        "name": CONTAINER,
        "image": "x",
        "imageID": "x",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
    return {"phase": phase, "containerStatuses": [container]}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
