"""The names of the workspace's files, and what a name alone tells: pure. See layout.py."""

import re
from typing import NamedTuple

from whisper_transcriber.coordination.layout import Recipe, Shard, ShardPlan, digest

ITEMS = "items.json"
DELIVERED = "delivered/"
GROUPS = "groups/"
MANIFEST_CLAIM = "manifest"
"""What is claimed before the manifest is written."""

_GROUP = re.compile(rf"{GROUPS}(\d+)/")
_PLAN = re.compile(rf"{GROUPS}(\d+)/shards/(\d+)\.json")
_CLAIM = re.compile(rf"{GROUPS}(?:(\d+)/)?leases/(.+)\.(\d+)")
_PART = re.compile(rf"{GROUPS}(\d+)/parts/(\d+)\.(\d+)\.[0-9a-f]+\.json")


class Mark(NamedTuple):
    """A delivered group, told by the name of its Delivered, so that nobody has to read it.

    ``milliseconds``: when, by the clock of the worker that delivered it. ``failed``: how many of
    its recordings have no transcript. ``samples``: of all its recordings together.
    """

    milliseconds: int
    group: int
    failed: int
    samples: int

    @classmethod
    def parse(cls, name: str) -> "Mark":
        """The mark that a name stands for."""
        return cls(*map(int, name.removeprefix(DELIVERED).removesuffix(".json").split(".")))

    @property
    def name(self) -> str:
        """Where the group's Delivered lies."""
        return f"{DELIVERED}{self.milliseconds:013}.{self.group}.{self.failed}.{self.samples}.json"


def group_folder(group: int) -> str:
    """What the names of a group's files begin with; in the order of groups."""
    return f"{GROUPS}{group:06}/"


def language_name(group: int) -> str:
    """Where a sliced group's ItemLanguage lies."""
    return f"{group_folder(group)}language.json"


def audio_name(group: int) -> str:
    """Where a sliced group's GroupAudio lies."""
    return f"{group_folder(group)}audio.json"


def shard_name(shard: Shard) -> str:
    """Where a shard's ShardPlan lies."""
    return f"{group_folder(shard.group)}shards/{shard.slice}.json"


def part_names(shard: Shard, plan: ShardPlan, how: Recipe) -> list[str]:
    """Where the parts of a shard lie, one for each of its batches."""
    folder = f"{group_folder(shard.group)}parts/"
    facts = digest([how.model_dump(mode="json"), plan.model_dump(mode="json")])
    return [f"{folder}{shard.slice}.{batch}.{facts}.json" for batch in range(len(plan.batches))]


def batch_claim(shard: Shard, batch: int) -> str:
    """What is claimed before a batch is decoded."""
    return f"{shard}.{batch}"


def delivery_claim(group: int) -> str:
    """What is claimed before a group is delivered."""
    return str(group)


def claim_name(what: str, attempt: int) -> str:
    """What a worker creates when it begins with something; each take-over is an attempt more."""
    group, _, rest = what.partition(".")
    folder = group_folder(int(group)) if group.isdecimal() else GROUPS
    return f"{folder}leases/{rest or 'delivery' if group.isdecimal() else what}.{attempt}"


def claim_of(name: str) -> tuple[str, int] | None:
    """What is claimed under a name, and in which attempt; None if it is not a claim's."""
    if not (found := _CLAIM.fullmatch(name)):
        return None
    group, rest, attempt = found.groups()
    if group is None:
        return rest, int(attempt)
    return str(int(group)) if rest == "delivery" else f"{int(group)}.{rest}", int(attempt)


def shard_of(name: str) -> Shard | None:
    """The shard whose ShardPlan lies under a name; None if it is not a plan's."""
    found = _PLAN.fullmatch(name)
    return Shard(int(found[1]), int(found[2])) if found else None


def batch_of(name: str) -> str | None:
    """The claim to the batch whose Part lies under a name; None if it is not a part's."""
    found = _PART.fullmatch(name)
    return batch_claim(Shard(int(found[1]), int(found[2])), int(found[3])) if found else None


def group_of(name: str) -> int | None:
    """The group that a file belongs to, where it belongs to one."""
    found = _GROUP.match(name)
    return int(found[1]) if found else None
