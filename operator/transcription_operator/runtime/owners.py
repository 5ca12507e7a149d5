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
from transcription_kube.informer import Store
from transcription_kube.keys import key_of, namespace_of
from transcription_operator.allow_lists import Entries
from transcription_operator.policies.metadata import propagated
from transcription_operator.policies.observation import parse_time

Json = dict[str, Any]

_METADATA = ("name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp",
             "deletionTimestamp")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kept:
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
    """The latest object of each key.

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
        self.is_ours = is_ours
        self._labels = labels
        self._annotations = annotations
        self._kept: Store[_Kept] = Store(lambda _, kept: kept.phase)
        self.removed = 0
        """How many deletions were told."""

    def __len__(self) -> int:
        return len(self._kept)

    def phases(self) -> dict[str, int]:
        """How many objects there are of each phase."""
        return self._kept.counts()

    def longest(self) -> dict[str, float]:
        """By phase, for how many seconds the object that is in it for longest has been."""
        first: dict[str, float] = {}
        for kept in self._kept.items.values():
            first[kept.phase] = min(kept.since, first.get(kept.phase, kept.since))
        now = self._clock()
        return {phase: max(0.0, now - since) for phase, since in first.items()}

    def all(self) -> list[str]:
        """Every namespace/name."""
        return list(self._kept.items)

    def knows(self, key: str) -> bool:
        """Whether there is such an object."""
        return self._kept.get(key) is not None

    def uid(self, key: str) -> str | None:
        """The uid of an object, or None when it is gone."""
        kept = self._kept.get(key)
        return kept.uid if kept else None

    def since(self, key: str) -> datetime | None:
        """When the object's phase began; None when it is gone."""
        kept = self._kept.get(key)
        return datetime.fromtimestamp(kept.since, UTC) if kept else None

    def version(self, key: str) -> int | None:
        """The resourceVersion that is known of an object."""
        kept = self._kept.get(key)
        return kept.version if kept else None

    def put(self, found: Json) -> bool:
        """Keep an object unless a newer one is known; whether it was news."""
        key, version, uid = key_of(found), version_of(found), found["metadata"]["uid"]
        if not self.is_ours(found):
            # One of ours may have had its name before.
            return self.drop(key, version)
        if version <= (self.version(key) or 0):
            return False
        phase = str(found.get("status", {}).get("phase", Phase.PENDING.value))
        text = json.dumps(self._projection(found)).encode()
        since = self._since(found, phase)
        self._kept.put(key, _Kept(uid, sys.intern(phase), since, version, text))
        return True

    def learn(self, written: Json) -> bool:
        """Keep what the API server answered to a request; whether it was news.

        Only of an object that is known: a watch may have been quicker and have told of its end, or
        of another one that has its name by now.
        """
        known = self._kept.get(key_of(written))
        if known is None or known.uid != written["metadata"]["uid"]:
            return False
        return self.put(written)

    def remove(self, found: Json) -> bool:
        """Forget a deleted object, unless another one has its name meanwhile."""
        before = self._kept.get(key_of(found))
        if before is None or before.uid != found["metadata"]["uid"]:
            return False
        self._kept.put(key_of(found), None)
        self.removed += 1
        return True

    def drop(self, key: str, version: int) -> bool:
        """Forget an object that was on no list of that resourceVersion, unless it is newer;
        whether it was known."""
        known = self.version(key)
        if known is None or known > version:
            return False
        self._kept.put(key, None)
        return True

    def drop_namespace(self, namespace: str) -> list[str]:
        """Forget all objects of a namespace; their keys."""
        keys = [key for key in self._kept.items if namespace_of(key) == namespace]
        for key in keys:
            self._kept.put(key, None)
        return keys

    def raw(self, key: str) -> Json | None:
        """The object's JSON, or None."""
        kept = self._kept.get(key)
        found: Json | None = json.loads(kept.text) if kept else None
        return found

    def get(self, key: str) -> TranscriptionJob | Unreadable | None:
        """The object, or None when it is gone."""
        found = self.raw(key)
        return read(found) if found else None

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

    def _since(self, found: Json, phase: str) -> float:
        known = self._kept.get(key_of(found))
        if known is None or known.uid != found["metadata"]["uid"]:
            return waiting_since(found) or self._clock()
        return known.since if known.phase == phase else self._clock()


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


def version_of(found: Json) -> int:
    """The resourceVersion."""
    return int(found["metadata"]["resourceVersion"])
