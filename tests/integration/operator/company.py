"""Many TranscriptionJobs of some kinds, their pods played, all that comes of them seen."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dev.commands import wait_until
from dev.errors import DevError
from tests.api import Api, Json, transcription_jobs
from tests.api import jobs as jobs_of
from tests.integration.operator.playing import Ending, PlayingKubelet
from tests.integration.operator.wire import Background, Span, Wire
from tests.integration.operator.witness import Witness
from tests.stage import example
from transcription_contract.termination import Failure, Result, Termination, encode

SECONDS = 90
DELIVERED = encode(
    Termination(result=Result(language="en", audio_seconds=SECONDS, model_sha256="ab"))
)
NOT_AUDIO = "s3://recordings/standup.mp3 is not audio"
BAD = encode(Termination(error=Failure(reason="MediaInvalid", message=NOT_AUDIO)))


@dataclass(frozen=True)
class Kind:
    """``endings``: each pod's exit code and message, in turn. ``end``: the right phase, reason, and
    what the last pod said: seconds of audio, or what it failed of."""

    endings: tuple[tuple[int, str], ...]
    end: tuple[str, str, int | str]


KINDS = {
    "done": Kind(((0, DELIVERED),), ("Succeeded", "Delivered", SECONDS)),
    "bad": Kind(((65, BAD),), ("Failed", "MediaInvalid", NOT_AUDIO)),
    "again": Kind(((69, ""), (0, DELIVERED)), ("Succeeded", "Delivered", SECONDS)),
}


@dataclass(frozen=True)
class Verdict:
    """Names of TranscriptionJobs. ``lost``: without an end. ``doubled``: with more than one Job.
    ``wrong``: with another end than the right one. ``repeated``: with more pods than it needed."""

    lost: Sequence[str]
    doubled: Sequence[str]
    wrong: Sequence[str]
    repeated: Sequence[str]

    @property
    def complaints(self) -> dict[str, Sequence[str]]:
        """All that is not as it should be."""
        return {what: names for what, names in vars(self).items() if names}


class Company:
    """The TranscriptionJobs of one namespace; their names begin with their kind."""

    def __init__(
        self, background: Background, wire: Wire, api: Api, namespace: str, pods_run: Span
    ) -> None:
        self.names: list[str] = []
        self._background = background
        self._wire = wire
        self._api = api
        self._namespace = namespace
        self._chance = random.Random(7)
        self._pods_run = pods_run
        self.witness = Witness(wire, namespace)
        self.kubelet = PlayingKubelet(wire, namespace, self._ending)
        self._parts = [background.start(part.run()) for part in (self.witness, self.kubelet)]

    @classmethod
    @contextmanager
    def gather(
        cls, api: Api, kubeconfig: Path, namespace: str, pods_run: Span = (0.0, 3.0)
    ) -> Iterator[Self]:
        """With an administrator's kubeconfig. ``pods_run``: how long each pod runs."""
        with Background() as background:
            wire = background.enter(Wire.open(kubeconfig))
            yield cls(background, wire, api, namespace, pods_run)

    def apply(self, *kinds: str) -> None:
        """One TranscriptionJob of each of these kinds; also while the API server is away."""
        path = transcription_jobs(self._namespace)
        for kind in kinds:
            name = f"{kind}-{len(self.names):04d}"
            self.names.append(name)
            self._background.wait(self._wire.create(path, example(name)))

    def await_end(self, timeout: float, meanwhile: Callable[[], None] = lambda: None) -> float:
        """Wait until all have ended, or the time is up; the seconds that it took."""
        began = time.monotonic()

        def ended() -> bool:
            self.check()
            meanwhile()
            return self.witness.finished() == len(self.names)

        with suppress(DevError):  # the verdict says what is missing
            wait_until("all have ended", ended, timeout)
        return time.monotonic() - began

    def verdict(self) -> Verdict:
        """What the API server has now, and what was seen on the way."""
        found = {
            parent["metadata"]["name"]: parent.get("status", {})
            for parent in self._api.items(transcription_jobs(self._namespace))
        }
        ends = {name: _end(found.get(name, {})) for name in self.names}
        there = [
            job["metadata"]["ownerReferences"][0]["name"]
            for job in self._api.items(jobs_of(self._namespace))
        ]
        unended = [name for name, end in ends.items() if end[0] not in ("Succeeded", "Failed")]
        return Verdict(
            lost=[name for name in self.names if name in unended or not self.witness.jobs[name]],
            doubled=[
                name
                for name in self.names
                if len(self.witness.jobs[name]) > 1 or there.count(name) > 1
            ],
            wrong=[
                f"{name}: {end}"
                for name, end in ends.items()
                if name not in unended and end != _kind(name).end
            ],
            repeated=[
                name for name in self.names if self.kubelet.turns[name] > len(_kind(name).endings)
            ],
        )

    def check(self) -> None:
        """Raise what the kubelet or the witness died of."""
        for part in self._parts:
            if part.done():
                part.result()

    def _ending(self, name: str, turn: int) -> Ending:
        endings = _kind(name).endings
        code, message = endings[min(turn, len(endings) - 1)]
        return Ending(code, message, after=self._chance.uniform(*self._pods_run))


def _end(status: Json) -> tuple[Any, Any, Any]:
    said = status.get("message")
    if status.get("phase") == "Succeeded":
        said = status.get("result", {}).get("audioSeconds")
    return status.get("phase"), status.get("reason"), said


def _kind(name: str) -> Kind:
    return KINDS[name.partition("-")[0]]
