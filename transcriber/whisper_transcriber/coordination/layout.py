"""What the workspace holds, and how the work is shared out: pure. names.py has the names.

The files under ``<output uri>.transcription/<uid>/``:

    items.json                        Items         what the source listed, and how it is grouped
    delivered/<mark>.json             Delivered     a group whose transcripts are in their places
    groups/<g>/shards/<s>.json        ShardPlan     the windows of the group's slice, in batches
    groups/<g>/leases/<s>.<b>.<n>     (a number)    a worker's claim to a batch, its n-th
    groups/<g>/leases/delivery.<n>    (a number)    a worker's claim to the delivery
    groups/<g>/parts/<s>.<b>.<hash>.json  Part      the text of one batch
    groups/<g>/language.json          ItemLanguage  the vote on a sliced recording
    groups/<g>/audio.json             GroupAudio    a sliced recording decoded to its end
    groups/leases/manifest.<n>        (a number)    a worker's claim to the manifest

A listing begins at the first group that is not delivered. What a delivered group leaves behind it
is removed a while later. The names in ``delivered/`` begin with the time, so that what was
delivered long ago is not listed again.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import NamedTuple

from transcription_contract.base import Model
from transcription_contract.decoding import Decoding, DecodingMode, LanguagePer
from transcription_contract.task import Task
from transcription_contract.termination import Failure
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.windows import Batch
from whisper_transcriber.coordination.manifest import ManifestItem
from whisper_transcriber.decoding.transcript import Segment

SMALL_BYTES = 4 << 20
"""Larger recordings get a group of their own, which is sliced; smaller ones share one."""

GROUP_BYTES = 32 << 20
GROUP_ITEMS = 64
GROUPS_PER_WORKER = 4
"""Enough groups that workers end at about the same time."""

SLICED_ITEMS_PER_WORKER = 4
"""With this many recordings for each worker, large ones are not sliced."""


class SourceItem(Model):
    """One recording as it was when the job began. ``name``: what its results are called.

    ``uri``: as it may be shown; a signed link is without its key.
    """

    uri: str
    etag: str
    bytes: int
    name: str


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

    ``recipe``: see ``item_recipe``. ``settled``: the manifest's entries of what is left alone: no
    media by its name, or delivered by an earlier job. ``kept``: those of recordings outside this
    job's source whose transcripts lie in the same output.
    """

    items: tuple[SourceItem, ...]
    groups: tuple[Group, ...]
    slice_samples: int
    recipe: str = ""
    settled: tuple[ManifestItem, ...] = ()
    kept: tuple[ManifestItem, ...] = ()


class ItemLanguage(Model):
    """The language of a recording.

    ``probability``: the mean over the windows that voted; None if the language was stated.
    """

    language: str
    probability: float | None


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
    ``language_probability``: of a detected language; None if it was stated.
    """

    samples: int
    language: str
    language_probability: float | None = None
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

    def spoken_samples(self, item: int) -> int:
        """How much of an item's stretch is in windows."""
        windows = (window for batch in self.batches for window in batch.windows)
        return sum(each.stop - each.start for each in windows if each.item == item)


class ItemText(Model):
    """What a batch adds to one recording. ``language``: where only the batch can tell it."""

    item: int
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    failure: Failure | None = None


class Part(Model):
    """The text of one batch. ``device``: the engine's description, where it was decoded."""

    texts: tuple[ItemText, ...]
    device: str = ""


class Delivered(Model):
    """What became of a group's recordings. ``devices``: on which they were decoded."""

    items: tuple[ManifestItem, ...]
    devices: tuple[str, ...] = ()


class Recipe(Model):
    """What a part's text depends on besides the shard's plan: parts of another never mix in.

    ``engine``: Engine.identity. Devices, libraries and threads are not part of it: they change
    the last digits of a probability and, rarely, a word, and a stored part is never done again.
    """

    etags: tuple[str, ...]
    model_sha256: str
    engine: str
    task: str
    decoding: Decoding
    times_words: bool
    batch_size: int


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
    """Items in groups, in order: sliced ones alone, the others together up to GROUP_BYTES."""
    alone = task.decoding.mode is DecodingMode.SEQUENTIAL
    slices = not alone and _slices_pay(len(items), task)
    limit = 1 if alone else _group_items(len(items), task)
    made: list[Group] = []
    room = 0
    for number, item in enumerate(items):
        sliced = slices and (len(items) == 1 or item.bytes > SMALL_BYTES)
        if sliced or not made or made[-1].sliced or made[-1].count >= limit or item.bytes > room:
            made.append(Group(first=number, count=1, sliced=sliced))
            room = GROUP_BYTES - item.bytes
        else:
            made[-1] = made[-1].model_copy(update={"count": made[-1].count + 1})
            room -= item.bytes
    return tuple(made)


def _slices_pay(items: int, task: Task) -> bool:
    """Whether recordings are scarcer than workers. Each worker that has a slice fetches and
    decodes the whole recording, which is wasted where every worker has recordings of its own."""
    per_slice = task.decoding.language_per is LanguagePer.SLICE
    return per_slice or items == 1 or items < SLICED_ITEMS_PER_WORKER * task.workers


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
    )


def item_recipe(task: Task, model: str) -> str:
    """A digest of the options that a recording's transcripts depend on, files included.

    ``model``: the checkpoint's SHA-256, or a name that stands for one.
    """
    facts = {
        "model": model,
        "task": task.task,
        "language": task.language,
        "audio": task.audio.model_dump(mode="json"),
        "decoding": task.decoding.model_dump(mode="json", exclude={"batch_size"}),
        "formats": sorted(task.formats),
        "subtitles": task.subtitles.model_dump(mode="json"),
    }
    return digest(facts)


def digest(facts: object) -> str:
    """A short hexadecimal digest of what JSON can hold."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
