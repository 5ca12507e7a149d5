"""From stored parts to delivered transcripts, and the manifest that says so."""

import hashlib
import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from transcription_contract import __version__
from transcription_contract.locations import manifest_uri, result_uri
from transcription_contract.options import ExistingOutput, OutputFormat
from transcription_contract.task import Task
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination import layout
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import (
    Delivered,
    Items,
    ItemText,
    Part,
    Shard,
    ShardPlan,
)
from whisper_transcriber.coordination.manifest import (
    Manifest,
    ManifestItem,
    ManifestModel,
    ManifestOutput,
)
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.decoding import outputs, transcript
from whisper_transcriber.decoding.outputs import CONTENT_TYPES, Transcript
from whisper_transcriber.errors import AllItemsFailed, OutputTaken, PlanChanged
from whisper_transcriber.storage.store import Store

log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Objects read or written at the same time: a store answers late, not slowly."""


class DeliveredElsewhere(Exception):  # noqa: N818  no error: the way out of all loops
    """Another worker has delivered the whole job."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__("another worker has delivered the job")
        self.manifest = manifest


def find_manifest(store: Store, task: Task) -> Manifest | None:
    """This job's manifest, if it is finished.

    Raises:
        OutputTaken: another job's lies there, and this one may not overwrite it.
    """
    content = store.find(manifest_uri(task.output_uri))
    if content is None:
        return None
    owner, uid = _owner(content)
    if uid == task.uid:
        return Manifest.model_validate_json(content)
    if task.existing is not ExistingOutput.FAIL:
        return None
    raise OutputTaken(
        f"{task.output_uri} holds the results of {owner} already: choose another spec.output.uri, "
        "or state spec.output.existing: skip or overwrite"
    )


def check_any_success(manifest: Manifest) -> None:
    """Raises AllItemsFailed if no recording at all has a transcript."""
    failures = manifest.failures
    if len(failures) == len(manifest.items):
        raise AllItemsFailed(
            f"none of the {len(failures)} recordings could be transcribed; the first: "
            f"{failures[0].message}"
        )


class Delivery:
    """Puts transcripts together and in their places, group by group."""

    def __init__(
        self, job: Job, items: Items, planner: Planner, model_sha256: str, engine: str
    ) -> None:
        self._job = job
        self._items = items
        self._planner = planner
        self._model_sha256 = model_sha256
        self._engine = engine
        self._names: dict[Shard, list[str]] = {}
        self._delivered: dict[int, Delivered] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="delivery")

    def part_names(self, shard: Shard, plan: ShardPlan) -> list[str]:
        """The names of a shard's parts, one for each batch."""
        if shard not in self._names:
            how = layout.recipe(
                self._job.task, self._items, shard.group, self._model_sha256, self._engine
            )
            self._names[shard] = layout.part_names(shard, plan, how)
        return self._names[shard]

    def is_complete(self, group: int, names: frozenset[str]) -> bool:
        """Whether all parts of a group are among ``names``."""
        every = self._planner.shards(group)
        if every is None:
            return False
        plans = [(shard, self._planner.known(shard)) for shard in every]
        return all(
            plan is not None and names.issuperset(self.part_names(shard, plan))
            for shard, plan in plans
        )

    def delivered(self, names: frozenset[str]) -> list[ManifestItem]:
        """The recordings of all groups whose delivery is among ``names``."""
        for group in range(len(self._items.groups)):
            name = layout.delivered_name(group)
            if name in names and group not in self._delivered:
                found = self._job.workspace.find(name, Delivered)
                if found is not None:
                    self._delivered[group] = found
        return list(chain.from_iterable(each.items for each in self._delivered.values()))

    def deliver(self, group: int) -> None:
        """Write the transcripts of a group all of whose parts are stored.

        Raises:
            DeliveredElsewhere: another worker has finished the job meanwhile.
            PlanChanged: a part is gone, and nobody has finished the job.
            OutputTaken: another job was faster.
        """
        texts = self._texts(group)
        self._check_nobody_was_faster(unchanged=texts is not None)
        assert texts is not None
        numbers = self._items.groups[group].items
        written = tuple(self._pool.map(lambda item: self._write(group, item, texts), numbers))
        self._delivered[group] = Delivered(items=written)
        self._job.workspace.put(layout.delivered_name(group), self._delivered[group])
        log.info("delivered %d of %d groups", len(self._delivered), len(self._items.groups))

    def finish(self, names: frozenset[str]) -> Manifest:
        """Deliver what nobody has delivered yet, and write the manifest.

        Raises:
            DeliveredElsewhere, PlanChanged, OutputTaken: as ``deliver``.
            AllItemsFailed: the manifest says of each recording why it has no transcript.
        """
        self.delivered(names)
        for group in range(len(self._items.groups)):
            if group not in self._delivered:
                self.deliver(group)
        self._check_nobody_was_faster()
        manifest = self._manifest()
        content = manifest.model_dump_json(by_alias=True, indent=1).encode() + b"\n"
        self._job.store.put(manifest_uri(self._job.task.output_uri), content)
        check_any_success(manifest)
        return manifest

    def close(self) -> None:
        """Begin with nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check_nobody_was_faster(self, *, unchanged: bool = True) -> None:
        """Looked for at the last moment: nobody's results are written over."""
        unchanged = unchanged and self._job.workspace.holds(layout.ITEMS, self._items)
        # After the plan: it is gone when a sibling has finished, and then the manifest is there.
        if manifest := find_manifest(self._job.store, self._job.task):
            raise DeliveredElsewhere(manifest)
        if not unchanged:
            raise PlanChanged(
                "the workspace is not the one that was worked on; the next pod goes on"
            )

    def _texts(self, group: int) -> list[ItemText] | None:
        """What all parts of a group say, in order, or None when one is gone."""
        names: list[str] = []
        for shard in self._planner.shards(group) or []:
            plan = self._planner.known(shard)
            if plan is None:
                return None
            names += self.part_names(shard, plan)
        texts: list[ItemText] = []
        for part in self._pool.map(lambda name: self._job.workspace.find(name, Part), names):
            if part is None:
                return None
            texts += part.texts
        return texts

    def _write(self, group: int, item: int, texts: Iterable[ItemText]) -> ManifestItem:
        source, own = self._items.items[item], [each for each in texts if each.item == item]
        entry = ManifestItem(uri=source.uri, etag=source.etag, bytes=source.bytes)
        failure = self._planner.failure(group, item) or next(
            (each.failure for each in own if each.failure), None
        )
        if failure:
            return entry.model_copy(update={"failure": failure})
        whole = self._transcript(group, item, own)
        return entry.model_copy(
            update={
                "seconds": whole.duration,
                "language": whole.language,
                "audio": whole.audio,
                "warnings": whole.warnings,
                "outputs": tuple(
                    self._output(source.name, whole, each) for each in self._job.task.formats
                ),
            }
        )

    def _transcript(self, group: int, item: int, own: list[ItemText]) -> Transcript:
        duration = round(self._planner.item_samples(group, item) / SAMPLE_RATE, 3)
        told = next((each.language for each in own if each.language), None)
        audio, warnings = self._planner.item_audio(group, item)
        return Transcript(
            segments=transcript.join(chain.from_iterable(e.segments for e in own), duration),
            language=told or self._planner.item_language(group, item),
            duration=duration,
            source=self._items.items[item].uri,
            model=self._job.task.model.label,
            model_sha256=self._model_sha256,
            task=self._job.task.task,
            audio=audio,
            warnings=warnings,
        )

    def _output(self, name: str, whole: Transcript, output_format: OutputFormat) -> ManifestOutput:
        uri = result_uri(name, self._job.task.output_uri, output_format)
        content = outputs.render(whole, output_format, self._job.task.subtitles)
        self._job.store.put(uri, content, CONTENT_TYPES[output_format])
        return ManifestOutput(
            format=output_format,
            uri=str(uri),
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def _manifest(self) -> Manifest:
        ordered = (self._delivered[group] for group in range(len(self._items.groups)))
        task = self._job.task
        return Manifest(
            uid=task.uid,
            owner=task.owner,
            items=tuple(chain.from_iterable(each.items for each in ordered)),
            model=ManifestModel(label=task.model.label, sha256=self._model_sha256),
            task=task.task,
            versions={"transcriber": __version__, "engine": self._engine},
        )


def _owner(content: bytes) -> tuple[str, str | None]:
    try:
        found = json.loads(content)
        return f"the TranscriptionJob {found['owner']!s:.200}", str(found["uid"])
    except (ValueError, KeyError, TypeError):
        return "something else, whose manifest.json is none of ours,", None
