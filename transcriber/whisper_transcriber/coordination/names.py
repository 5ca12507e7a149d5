"""The names of the workspace's files, and what a name alone tells: pure. See layout.py."""

from typing import NamedTuple

from whisper_transcriber.coordination.layout import Recipe, Shard, ShardPlan, digest

ITEMS = "items.json"
DELIVERED = "delivered/"
CLAIMS = "leases/"
PARTS = "parts/"
PLANS = "shards/"
GROUPS = "groups/"
MANIFEST_CLAIM = "manifest"
"""What is claimed before the manifest is written."""


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


def item_language_name(item: int) -> str:
    """Where an item's ItemLanguage lies."""
    return f"items/{item}.language.json"


def group_name(group: int) -> str:
    """Where a sliced group's GroupAudio lies."""
    return f"{GROUPS}{group}.json"


def shard_name(shard: Shard) -> str:
    """Where a shard's ShardPlan lies."""
    return f"{PLANS}{shard}.json"


def shard_of(plan_name: str) -> Shard:
    """The shard whose ShardPlan lies there."""
    group, number = plan_name.removeprefix(PLANS).removesuffix(".json").split(".")
    return Shard(int(group), int(number))


def claim_name(what: str, attempt: int) -> str:
    """What a worker creates when it begins with something; each take-over is an attempt more."""
    return f"{CLAIMS}{what}.{attempt}"


def claim_of(name: str) -> tuple[str, int]:
    """What is claimed under that name, and in which attempt."""
    what, _, attempt = name.removeprefix(CLAIMS).rpartition(".")
    return what, int(attempt)


def batch_claim(shard: Shard, batch: int) -> str:
    """What is claimed before a batch is decoded."""
    return f"{shard}.{batch}"


def delivery_claim(group: int) -> str:
    """What is claimed before a group is delivered."""
    return str(group)


def part_names(shard: Shard, plan: ShardPlan, how: Recipe) -> list[str]:
    """Where the parts of a shard lie, one for each of its batches."""
    facts = digest([how.model_dump(mode="json"), plan.model_dump(mode="json")])
    return [f"{PARTS}{shard}.{batch}.{facts}.json" for batch in range(len(plan.batches))]


def of_group(name: str) -> int | None:
    """The number of the group that a file belongs to, where it belongs to just one."""
    folder, _, rest = name.partition("/")
    if f"{folder}/" not in (CLAIMS, PARTS, PLANS, GROUPS) or not rest[:1].isdecimal():
        return None
    return int(rest.partition(".")[0])
