"""What the operator knows of each TranscriptionJob, as small as it can be kept."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from transcription_api import RETRY_ANNOTATION
from transcription_api.reading import Unreadable, read, read_status
from transcription_api.status import ConditionType, Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_kube.keys import key_of, namespace_of
from transcription_kube.store import Store
from transcription_operator.allow_lists import Entries
from transcription_operator.policies.metadata import propagated
from transcription_operator.policies.observation import parse_time

Json = dict[str, Any]

_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp",
             "deletionTimestamp")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """Kept as text: ten thousand parsed objects would be some 100 MB, and reconciling parses one in
    a fraction of a millisecond.

    ``since``: when the phase began, in seconds since 1970.
    """

    uid: str
    phase: str
    since: float
    version: int
    text: bytes


class Owners:
    """The latest object of each key: what informers keep, and what the API server answered.

    ``is_ours``: objects that this operator does not run are not kept.
    ``labels``, ``annotations``: entries of those that are kept, since Jobs and pods get them.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        is_ours: Callable[[Json], bool] = lambda _: True,
        labels: Entries = (),
        annotations: Entries = (),
    ) -> None:
        self._clock = clock
        self._is_ours = is_ours
        self._labels = labels
        self._annotations = annotations
        self.store: Store[Kept] = Store(lambda _, kept: kept.phase)

    def __len__(self) -> int:
        return len(self.store)

    def phases(self) -> dict[str, int]:
        """How many objects there are of each phase."""
        return self.store.counts()

    def longest(self) -> dict[str, float]:
        """By phase, for how many seconds the object that is in it for longest has been."""
        first: dict[str, float] = {}
        for kept in self.store.items.values():
            first[kept.phase] = min(kept.since, first.get(kept.phase, kept.since))
        now = self._clock()
        return {phase: max(0.0, now - since) for phase, since in first.items()}

    def all(self) -> list[str]:
        """Every namespace/name."""
        return list(self.store.items)

    def knows(self, key: str) -> bool:
        """Whether there is such an object."""
        return self.store.get(key) is not None

    def uid(self, key: str) -> str | None:
        """The uid of an object, or None when it is gone."""
        kept = self.store.get(key)
        return kept.uid if kept else None

    def since(self, key: str) -> datetime | None:
        """When the object's phase began; None when it is gone."""
        kept = self.store.get(key)
        return datetime.fromtimestamp(kept.since, UTC) if kept else None

    def raw(self, key: str) -> Json | None:
        """The object's JSON, or None."""
        kept = self.store.get(key)
        found: Json | None = json.loads(kept.text) if kept else None
        return found

    def get(self, key: str) -> TranscriptionJob | Unreadable | None:
        """The object, or None when it is gone."""
        found = self.raw(key)
        return read(found) if found else None

    def parse(self, found: Json) -> Kept | None:
        """What is kept of an object; None if another operator runs it.

        One of the same name may be known: while its uid and phase do not change, ``since`` stays.
        """
        if not self._is_ours(found):
            return None
        uid, version = found["metadata"]["uid"], int(found["metadata"]["resourceVersion"])
        known = self.store.get(key_of(found))
        if known and known.version == version:
            return known  # our own write, which the watch tells of after its answer
        phase = str(found.get("status", {}).get("phase", Phase.PENDING.value))
        if known is None or known.uid != uid:
            since = waiting_since(found) or self._clock()
        else:
            since = known.since if known.phase == phase else self._clock()
        text = json.dumps(self._projection(found)).encode()
        return Kept(uid, sys.intern(phase), since, version, text)

    def learn(self, written: Json) -> None:
        """Keep what the API server answered to a request.

        Only of an object that is known: a watch may have been quicker and have told of its end, or
        of another one that has its name by now.
        """
        key = key_of(written)
        known = self.store.get(key)
        if known is None or known.uid != written["metadata"]["uid"]:
            return
        item = self.parse(written)
        if item and item.version > known.version:
            self.store.put(key, item)

    def drop(self, key: str, version: int) -> None:
        """Forget an object that the API server no longer has, unless a newer one is known."""
        known = self.store.get(key)
        if known and known.version <= version:
            self.store.put(key, None)

    def drop_namespace(self, namespace: str) -> list[str]:
        """Forget all objects of a namespace; their keys."""
        keys = [key for key in self.store.items if namespace_of(key) == namespace]
        for key in keys:
            self.store.put(key, None)
        return keys

    def _projection(self, found: Json) -> Json:
        metadata = {k: v for k, v in found["metadata"].items() if k in _METADATA}
        annotations = found["metadata"].get("annotations", {})
        kept = propagated(annotations, self._annotations)
        if retry := annotations.get(RETRY_ANNOTATION):
            kept[RETRY_ANNOTATION] = retry
        if labels := propagated(found["metadata"].get("labels", {}), self._labels):
            metadata["labels"] = labels
        if kept:
            metadata["annotations"] = kept
        spec, status = found.get("spec", {}), found.get("status", {})
        return {"metadata": metadata, "spec": spec, "status": status}


def waiting_since(found: Json) -> float | None:
    """When an object that waits began to, by its status alone, in seconds since 1970; None for one
    whose workers have run, which may wait again."""
    status = read_status(found.get("status", {}))
    if status.running_since:
        return None
    reconciling = status.condition(ConditionType.RECONCILING)
    if reconciling and reconciling.status == "True":
        let_go: datetime | None = reconciling.last_transition_time
    else:
        let_go = parse_time(found["metadata"].get("creationTimestamp"))
    since = status.active_since or let_go
    return since.timestamp() if since else None
