"""From stored parts to delivered transcripts, and the manifest that says so."""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from transcription_contract import __version__
from transcription_contract.locations import result_uri
from transcription_contract.options import OutputFormat
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination import names
from whisper_transcriber.coordination.finished import ManifestWatch
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.language import uncertainty
from whisper_transcriber.coordination.layout import (
    Delivered,
    ItemLanguage,
    Items,
    ItemText,
    Part,
    Shard,
    ShardPlan,
    recipe,
)
from whisper_transcriber.coordination.manifest import (
    NOT_MEDIA,
    Manifest,
    ManifestItem,
    ManifestModel,
    ManifestOutput,
)
from whisper_transcriber.coordination.names import Mark
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.results import kept_beside, named_apart_from
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.coordination.workspace import Document
from whisper_transcriber.decoding import outputs, transcript
from whisper_transcriber.decoding.outputs import CONTENT_TYPES, Transcript
from whisper_transcriber.decoding.transcript import Segment
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import PlanChanged

log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Objects read or written at the same time: a store answers late, not slowly."""


class Delivery:
    """Puts transcripts together and in their places, group by group."""

    def __init__(
        self,
        job: Job,
        items: Items,
        state: WorkspaceState,
        planner: Planner,
        watch: ManifestWatch,
        engine: Engine,
        model_sha256: str,
    ) -> None:
        """``watch``: notices that another worker or job has delivered meanwhile."""
        self._job = job
        self._items = items
        self._state = state
        self._planner = planner
        self._watch = watch
        self._engine = engine
        self._model_sha256 = model_sha256
        self._names: dict[Shard, list[str]] = {}
        self._parts: dict[str, Part] = {}
        self._delivered: dict[int, Delivered] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="delivery")

    def part_names(self, shard: Shard, plan: ShardPlan) -> list[str]:
        """The names of a shard's parts, one for each batch."""
        if shard not in self._names:
            how = recipe(
                self._job.task, self._items, shard.group, self._model_sha256, self._engine.identity
            )
            self._names[shard] = names.part_names(shard, plan, how)
        return self._names[shard]

    def keep(self, name: str, part: Part) -> None:
        """Remember a part that this worker stored, so that it need not be read again."""
        self._parts[name] = part

    def is_complete(self, group: int) -> bool:
        """Whether all parts of a group are stored."""
        every = self._planner.shards(group)
        if every is None:
            return False
        plans = [(shard, self._planner.known(shard)) for shard in every]
        return all(
            plan is not None and self._state.names.issuperset(self.part_names(shard, plan))
            for shard, plan in plans
        )

    def deliver(self, group: int) -> None:
        """Write the transcripts of a group all of whose parts are stored.

        Raises:
            DeliveredElsewhere: another worker has finished the job meanwhile.
            PlanChanged: a part is missing, or the plan is another one.
            OutputTaken: another job has delivered to the same output meanwhile.
        """
        parts = self._read(group)
        self._watch.check(self._job.workspace.etag(names.ITEMS))
        if parts is None:
            # A worker that delivered the group meanwhile has removed them.
            self._state.look()
            if group in self._state.delivered:
                return
            raise PlanChanged("a stored part was removed while the job was running")
        texts = [text for part in parts for text in part.texts]
        numbers = self._items.groups[group].items
        done = Delivered(
            items=tuple(self._pool.map(lambda item: self._write(group, item, texts), numbers)),
            devices=tuple(sorted({part.device for part in parts if part.device})),
        )
        mark = Mark(
            milliseconds=round(time.time() * 1000),
            group=group,
            failed=sum(1 for each in done.items if each.failure),
            samples=sum(self._planner.item_samples(group, item) for item in numbers),
        )
        self._job.workspace.put(mark.name, done)
        self._state.add(mark.name)
        self._forget(group, done)
        log.info("delivered %d of %d groups", len(self._state.delivered), len(self._items.groups))

    def finish(self) -> Manifest:
        """Write the manifest, once every group is delivered.

        Raises:
            DeliveredElsewhere, PlanChanged, OutputTaken: as ``deliver``.
        """
        every = list(self._pool.map(self._found, range(len(self._items.groups))))
        self._watch.check(self._job.workspace.etag(names.ITEMS))
        delivered = [each for each in every if each is not None]
        if len(delivered) < len(every):
            raise PlanChanged("a delivered group was removed while the job was running")
        manifest = self._manifest(delivered)
        manifest.write(self._job.store, self._job.task)
        return manifest

    def close(self) -> None:
        """Begin with nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _forget(self, group: int, done: Delivered) -> None:
        self._delivered[group] = done
        for shard in [each for each in self._names if each.group == group]:
            for name in self._names.pop(shard):
                self._parts.pop(name, None)

    def _found(self, group: int) -> Delivered | None:
        if group in self._delivered:
            return self._delivered[group]
        return self._stored(self._state.delivered[group].name, Delivered)

    def _read(self, group: int) -> list[Part] | None:
        """All parts of a group, in order, or None when one is missing."""
        wanted: list[str] = []
        for shard in self._planner.shards(group) or []:
            plan = self._planner.known(shard)
            if plan is None:
                return None
            wanted += self.part_names(shard, plan)
        found = [part for part in self._pool.map(self._part, wanted) if part is not None]
        return found if len(found) == len(wanted) else None

    def _part(self, name: str) -> Part | None:
        return self._parts.get(name) or self._stored(name, Part)

    def _stored(self, name: str, kind: type[Document]) -> Document | None:
        """A document, or None. One of another version is removed, so that it is made again."""
        found = self._job.workspace.find(name, kind)
        if found is None:
            self._job.workspace.remove([name])
        return found

    def _write(self, group: int, item: int, texts: Iterable[ItemText]) -> ManifestItem:
        source, own = self._items.items[item], [each for each in texts if each.item == item]
        entry = ManifestItem(
            uri=source.uri,
            etag=source.etag,
            bytes=source.bytes,
            recipe=self._items.recipe,
        )
        failure = self._planner.failure(group, item) or next(
            (each.failure for each in own if each.failure), None
        )
        if failure and failure.reason == NOT_MEDIA and self._job.task.has_many:
            return entry.model_copy(update={"skipped": failure.message})
        if failure:
            return entry.model_copy(update={"failure": failure})
        if self._watch.others:
            source = named_apart_from(self._watch.others, self._job, source)
        whole = self._transcript(group, item, own)
        for warning in whole.warnings:
            self._job.metrics.warnings.labels(kind=warning.kind.value).inc()
        return entry.model_copy(
            update={
                "seconds": whole.duration,
                "language": whole.language,
                "audio": whole.audio,
                "outputs": tuple(
                    self._output(source.name, whole, each) for each in self._job.task.formats
                ),
                "warnings": whole.warnings,
                "suspect_segments": sum(1 for each in whole.segments if each.suspect),
            }
        )

    def _language(self, group: int, item: int, own: list[ItemText]) -> ItemLanguage:
        found = next((each.language for each in own if each.language), None)
        if found:
            return ItemLanguage(language=found, probability=None)
        return self._planner.item_language(group, item)

    def _transcript(self, group: int, item: int, own: list[ItemText]) -> Transcript:
        duration = round(self._planner.item_samples(group, item) / SAMPLE_RATE, 3)
        spoken = self._language(group, item, own)
        language = spoken.language
        segments = (segment for each in own for segment in each.segments)
        audio, warnings = self._planner.item_audio(group, item)
        return Transcript(
            segments=transcript.join(_in_language(segments, language), duration),
            language=language,
            duration=duration,
            source=self._items.items[item].uri,
            model=self._job.task.model.label,
            model_sha256=self._model_sha256,
            task=self._job.task.task,
            audio=audio,
            warnings=(*warnings, *uncertainty(spoken)),
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

    def _manifest(self, delivered: list[Delivered]) -> Manifest:
        task, items = self._job.task, self._items
        done = tuple(chain.from_iterable(each.items for each in delivered))
        every = (*items.settled, *done)
        return Manifest(
            uid=task.uid,
            owner=task.owner,
            items=tuple(sorted(every, key=lambda each: each.uri)) if items.settled else done,
            model=ManifestModel(label=task.model.label, sha256=self._model_sha256),
            task=task.task,
            versions={"transcriber": __version__, "engine": self._engine.identity},
            devices=tuple(sorted({name for each in delivered for name in each.devices})),
            kept=kept_beside(every, items, self._watch.others),
        )


def _in_language(segments: Iterable[Segment], language: str) -> Iterator[Segment]:
    """Segments that name their language only where it is not the recording's."""
    for segment in segments:
        if segment.language == language:
            yield segment.model_copy(update={"language": None})
        else:
            yield segment
