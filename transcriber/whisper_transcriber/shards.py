"""What the workspace holds, and how the work is shared out: pure.

Names and formats are those of the files under ``<output uri>.transcription/<uid>/``:

    items.json                    Items          what the source listed, and how it is cut
    items/<i>.json                ItemAudio      how long it is, and its slices
    items/<i>.language.json       ItemLanguage   the vote
    shards/<s>.json               ShardPlan      the windows of a slice, in units
    parts/<s>.<u>.<hash>.json     Part           the text of one unit
"""

import hashlib
import json
from collections.abc import Sequence

from transcription_contract.base import Model
from transcription_contract.task import Task
from whisper_transcriber.plan import Span, Unit
from whisper_transcriber.transcript import Segment

ITEMS = "items.json"


class SourceItem(Model):
    """One recording as it was when the job began."""

    uri: str
    etag: str
    bytes: int


class Items(Model):
    """What every worker of the job must do alike.

    ``threads``: torch's results change in the last bits with their number, so the first worker's
    binds all of them, whatever machine a later one runs on.
    """

    items: tuple[SourceItem, ...]
    slice_samples: int
    threads: int


class ItemAudio(Model):
    """A decoded recording: its length and its slices, which follow each other without a gap."""

    samples: int
    slices: tuple[Span, ...]


class ItemLanguage(Model):
    """The language of a recording; ``probability`` is the mean over the windows that voted."""

    language: str
    probability: float


class ShardPlan(Model):
    """One slice of one item, ready to be decoded."""

    item: int
    start: int
    stop: int
    units: tuple[Unit, ...]


class Part(Model):
    """The text of one unit."""

    segments: tuple[Segment, ...]


class Recipe(Model):
    """All that a part's bytes depend on besides the shard's plan: parts of another never mix in."""

    source_etag: str
    model_sha256: str
    engine: str
    language: str
    task: str
    initial_prompt: str
    batch_size: int
    threads: int


def recipe(task: Task, items: Items, model_sha256: str, engine: str, language: str) -> Recipe:
    """The recipe of a job's parts."""
    return Recipe(
        source_etag=items.items[0].etag,
        model_sha256=model_sha256,
        engine=engine,
        language=language,
        task=task.task,
        initial_prompt=task.decoding.initial_prompt,
        batch_size=task.batch_size,
        threads=items.threads,
    )


def item_audio_name(item: int) -> str:
    """Where an item's ItemAudio lies."""
    return f"items/{item}.json"


def item_language_name(item: int) -> str:
    """Where an item's ItemLanguage lies."""
    return f"items/{item}.language.json"


def shard_name(shard: int) -> str:
    """Where a shard's ShardPlan lies."""
    return f"shards/{shard}.json"


def part_names(shard: int, plan: ShardPlan, how: Recipe) -> list[str]:
    """Where the parts of a shard lie, one for each of its units."""
    facts = [how.model_dump(mode="json"), plan.model_dump(mode="json")]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return [f"parts/{shard}.{unit}.{digest}.json" for unit in range(len(plan.units))]


def own_shards(worker: int, workers: int, shards: int) -> Sequence[int]:
    """The shards that a worker begins with: its number's, and every ``workers``-th after it."""
    return range(worker % workers, shards, workers)


def shard_order(worker: int, workers: int, shards: int) -> list[tuple[int, bool]]:
    """Every shard, in the order in which a worker goes through them.

    Its own ones first; then the others, the last one first, each from its last unit on (True),
    where its owner comes last.
    """
    own = own_shards(worker, workers, shards)
    others = [shard for shard in reversed(range(shards)) if shard not in own]
    return [(shard, False) for shard in own] + [(shard, True) for shard in others]
