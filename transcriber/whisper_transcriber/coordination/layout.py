"""What the workspace holds, and how the work is shared out: pure.

Names and formats are those of the files under ``<output uri>.transcription/<uid>/``:

    items.json                       Items         what the source listed, and how it is grouped
    items/<i>.language.json          ItemLanguage  the vote on a sliced recording
    groups/<g>.json                  GroupAudio    a sliced recording decoded to its end
    shards/<g>.<s>.json              ShardPlan     the windows of a group's slice, in batches
    claims/<g>.<s>.<u>.<worker>      (empty)       who is at a batch: a hint, never a lock
    parts/<g>.<s>.<u>.<hash>.json    Part          the text of one batch
    delivered/<g>.json               Delivered     a group whose transcripts are in their places
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

from transcription_contract.base import Model
from transcription_contract.locations import ObjectUri
from transcription_contract.options import Decoding, DecodingMode
from transcription_contract.task import Task
from transcription_contract.termination import Failure
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.windows import Batch
from whisper_transcriber.coordination.manifest import ManifestItem
from whisper_transcriber.decoding.transcript import Segment
from whisper_transcriber.storage.store import StoredObject

ITEMS = "items.json"

SMALL_BYTES = 4 << 20
"""Larger recordings get a group of their own, which is sliced; smaller ones share one."""

GROUP_BYTES = 32 << 20
GROUP_ITEMS = 64
GROUPS_PER_WORKER = 4
"""Enough groups that workers end at about the same time."""


class SourceItem(Model):
    """One recording as it was when the job began. ``name``: what its results are called."""

    uri: str
    etag: str
    bytes: int
    name: str

    @property
    def stored(self) -> StoredObject:
        """The object as a store knows it."""
        return StoredObject(ObjectUri.parse(self.uri), self.etag, self.bytes)


class Group(Model):
    """Recordings that are planned and delivered together: ``count`` of them from ``first`` on.

    ``sliced``: a single one whose slices are shared; the others are planned as one shard.
    """

    first: int
    count: int
    sliced: bool

    @property
    def items(self) -> range:
        """The numbers of its recordings."""
        return range(self.first, self.first + self.count)


class Items(Model):
    """What every worker of the job must do alike.

    ``threads``: torch's results change in the last bits with their number, so the first worker's
    binds all of them, whatever machine a later one runs on.
    """

    items: tuple[SourceItem, ...]
    groups: tuple[Group, ...]
    slice_samples: int
    threads: int


class ItemLanguage(Model):
    """The language of a recording; ``probability`` is the mean over the windows that voted."""

    language: str
    probability: float


class GroupAudio(Model):
    """A sliced recording decoded to its end, or to the fault that ended it."""

    samples: int
    slices: int
    failure: Failure | None = None
    audio: AudioFacts | None = None
    warnings: tuple[AudioWarning, ...] = ()


class ItemPlan(Model):
    """A recording as its shard's planner found it; ``samples``: in the shard.

    ``audio``, ``warnings``: of a recording that is not sliced; the others' are in GroupAudio.
    """

    samples: int
    language: str
    failure: Failure | None = None
    audio: AudioFacts | None = None
    warnings: tuple[AudioWarning, ...] = ()


class ShardPlan(Model):
    """A slice of a recording, or a group of small ones, ready to be decoded.

    ``items``: one for each of the group's. ``whole``: no windows, but the group's recording as it
    is (mode sequential).
    """

    items: tuple[ItemPlan, ...]
    batches: tuple[Batch, ...]
    whole: bool = False


class ItemText(Model):
    """What a batch adds to one recording. ``language``: where only the batch can tell it."""

    item: int
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    failure: Failure | None = None


class Part(Model):
    """The text of one batch."""

    texts: tuple[ItemText, ...]


class Delivered(Model):
    """What became of a group's recordings."""

    items: tuple[ManifestItem, ...]


class Recipe(Model):
    """All that a part's bytes depend on besides the shard's plan: parts of another never mix in."""

    etags: tuple[str, ...]
    model_sha256: str
    engine: str
    task: str
    decoding: Decoding
    times_words: bool
    batch_size: int
    threads: int


class Shard(NamedTuple):
    """A group's slice; a group that is not sliced has only number 0."""

    group: int
    slice: int

    def __str__(self) -> str:
        return f"{self.group}.{self.slice}"

    def owner(self, workers: int) -> int:
        """The worker that begins with it."""
        return (self.group + self.slice) % workers


def groups(items: Sequence[SourceItem], task: Task) -> tuple[Group, ...]:
    """Items in groups, in order: large ones alone, small ones together."""
    alone = task.decoding.mode is DecodingMode.SEQUENTIAL
    slices = not alone
    limit = 1 if alone else _group_items(len(items), task)
    made: list[Group] = []
    room = 0
    for number, item in enumerate(items):
        large = len(items) == 1 or item.bytes > SMALL_BYTES
        if large or not made or made[-1].sliced or made[-1].count >= limit or item.bytes > room:
            made.append(Group(first=number, count=1, sliced=large and slices))
            room = GROUP_BYTES - item.bytes
        else:
            made[-1] = made[-1].model_copy(update={"count": made[-1].count + 1})
            room -= item.bytes
    return tuple(made)


def _group_items(items: int, task: Task) -> int:
    fair = math.ceil(items / (GROUPS_PER_WORKER * task.workers))
    full_batch = min(task.batch_size, math.ceil(items / task.workers))
    return min(GROUP_ITEMS, max(fair, full_batch))


def recipe(task: Task, items: Items, group: int, model_sha256: str, engine: str) -> Recipe:
    """The recipe of a group's parts."""
    return Recipe(
        etags=tuple(items.items[number].etag for number in items.groups[group].items),
        model_sha256=model_sha256,
        engine=engine,
        task=task.task,
        decoding=task.decoding,
        times_words=task.times_words,
        batch_size=task.batch_size,
        threads=items.threads,
    )


def item_language_name(item: int) -> str:
    """Where an item's ItemLanguage lies."""
    return f"items/{item}.language.json"


def group_name(group: int) -> str:
    """Where a sliced group's GroupAudio lies."""
    return f"groups/{group}.json"


def shard_name(shard: Shard) -> str:
    """Where a shard's ShardPlan lies."""
    return f"shards/{shard}.json"


def delivered_name(group: int) -> str:
    """Where a group's Delivered lies."""
    return f"delivered/{group}.json"


def claim_name(shard: Shard, batch: int, worker: int) -> str:
    """What a worker writes when it begins with a batch."""
    return f"claims/{shard}.{batch}.{worker}"


def part_names(shard: Shard, plan: ShardPlan, how: Recipe) -> list[str]:
    """Where the parts of a shard lie, one for each of its batches."""
    facts = [how.model_dump(mode="json"), plan.model_dump(mode="json")]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return [f"parts/{shard}.{batch}.{digest}.json" for batch in range(len(plan.batches))]
