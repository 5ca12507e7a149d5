"""The transcripts that earlier jobs have left at the output, and what they spare this one."""

from collections.abc import Callable, Iterable

from transcription_contract import __version__
from transcription_contract.locations import ObjectUri, result_uri
from transcription_contract.options import ExistingOutput
from transcription_contract.task import Task
from whisper_transcriber.coordination.finished import earlier_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import Items, SourceItem
from whisper_transcriber.coordination.manifest import Manifest, ManifestItem, ManifestModel
from whisper_transcriber.errors import OutputTaken
from whisper_transcriber.storage.store import ObjectMissingError

DELIVERED = "delivered by an earlier job"
"""Why a recording is left alone whose transcripts are there."""


class EarlierResults:
    """What is known of the output when the job begins."""

    def __init__(
        self,
        task: Task,
        entries: Iterable[ManifestItem],
        size_of: Callable[[str], int | None],
        *,
        may_rename: bool,
    ) -> None:
        """
        Args:
            task: this job's.
            entries: of the manifest that lies at the output.
            size_of: the size in bytes of what lies under a URI; None if nothing does.
            may_rename: whether a transcript may get another name than result_uri gives it.
        """
        self._task = task
        self._size_of = size_of
        self._may_rename = may_rename
        self._entries = {each.uri: each for each in entries}
        self._owners = {
            output.uri: each.uri for each in self._entries.values() for output in each.outputs
        }

    @classmethod
    def of(cls, job: Job) -> "EarlierResults":
        """Read the output; not at all where the job fails if there is anything."""
        if job.task.existing is ExistingOutput.FAIL:
            return cls(job.task, (), lambda _: None, may_rename=False)
        manifest = earlier_manifest(job.store, job.task)
        entries = (*manifest.items, *manifest.kept) if manifest else ()
        size_of = _by_listing(job) if job.task.has_many and entries else _by_request(job)
        return cls(job.task, entries, size_of, may_rename=job.renames_results)

    def divide(
        self, listed: Iterable[SourceItem], recipe: str
    ) -> tuple[tuple[SourceItem, ...], tuple[ManifestItem, ...]]:
        """What is left to do, and the manifest's entries of what is done or needs nothing done."""
        left, settled = [], []
        for item in listed:
            entry = self._entries.get(item.uri)
            if entry and self._stands(entry, item, recipe):
                settled.append(entry.model_copy(update={"skipped": entry.skipped or DELIVERED}))
            else:
                left.append(item)
        return tuple(left), tuple(settled)

    def kept(self, listed: Iterable[SourceItem]) -> tuple[ManifestItem, ...]:
        """The entries of recordings that this job's source does not hold."""
        own = {item.uri for item in listed}
        return tuple(each for uri, each in self._entries.items()
                     if uri not in own and each.outputs)  # fmt: skip

    def named_apart(self, item: SourceItem) -> SourceItem:
        """The item with a name for its results that no other recording's results have.

        Raises:
            OutputTaken: there is no such name.
        """
        if self._task.existing is not ExistingOutput.SKIP or not self._is_taken(item, item.name):
            return item
        full = ObjectUri.parse(item.uri).key.rpartition("/")[2]
        if self._may_rename and full != item.name and not self._is_taken(item, full):
            return item.model_copy(update={"name": full})
        raise OutputTaken(
            f"The output {self._task.output_uri} already contains a transcript of another "
            f"recording under the name {item.name}, so that of {item.uri} would overwrite "
            "it. Choose a different output."
        )

    def _is_taken(self, item: SourceItem, name: str) -> bool:
        for each in self._task.formats:
            uri = str(result_uri(name, self._task.output_uri, each))
            if self._owner(uri, name, item) not in (None, item.uri):
                return True
        return False

    def _owner(self, uri: str, name: str, item: SourceItem) -> str | None:
        """The recording whose transcript lies there, if any does."""
        if uri in self._owners or self._size_of(uri) is None:
            return self._owners.get(uri)
        # Nobody's that is known. What a job of many has left before it was cut is written again;
        # talk.txt beside talk.mp3 may be anything.
        unknown = self._may_rename and name == item.name and not self._task.has_many
        return uri if unknown else None

    def _stands(self, entry: ManifestItem, item: SourceItem, recipe: str) -> bool:
        same = (entry.etag, entry.recipe) == (item.etag, recipe)
        skips = self._task.existing is ExistingOutput.SKIP
        return skips and same and self._is_complete(entry)

    def _is_complete(self, entry: ManifestItem) -> bool:
        """Whether what the manifest says is still there. An entry without a transcript counts
        only if there is none to be had."""
        if not entry.outputs:
            return entry.skipped is not None and entry.failure is None
        return all(self._size_of(each.uri) == each.bytes for each in entry.outputs)


def named_apart_from(others: Manifest, job: Job, item: SourceItem) -> SourceItem:
    """See EarlierResults.named_apart, for what others have delivered since the job began."""
    entries = (*others.items, *others.kept)
    results = EarlierResults(job.task, entries, lambda _: None, may_rename=job.renames_results)
    return results.named_apart(item)


def kept_beside(
    done: Iterable[ManifestItem], items: Items, others: Manifest | None
) -> tuple[ManifestItem, ...]:
    """What stays at the output beside a job's own results.

    Args:
        done: the job's own entries. A result that one of them has overwritten is not kept.
        items: the job's work, with what was there when it began.
        others: the manifest of a job that has delivered since.
    """
    entries = (*items.kept, *others.items, *others.kept) if others else items.kept
    own = {each.uri: each.outputs for each in done}
    taken = {output.uri for outputs in own.values() for output in outputs}
    kept = {
        each.uri: each
        for each in entries
        if each.uri not in own and each.outputs and taken.isdisjoint(o.uri for o in each.outputs)
    }
    return tuple(kept.values())


def _by_listing(job: Job) -> Callable[[str], int | None]:
    output = ObjectUri.parse(job.task.output_uri)
    if output.scheme == "file":
        # The folder may be anybody's home; asking for a file costs nothing.
        return _by_request(job)
    return {str(each.uri): each.size for each in job.store.list(output)}.get


def _by_request(job: Job) -> Callable[[str], int | None]:
    def size_of(uri: str) -> int | None:
        try:
            return job.store.stat(ObjectUri.parse(uri)).size
        except ObjectMissingError:
            return None

    return size_of


def settled_manifest(job: Job, items: Items) -> Manifest:
    """The manifest of a job that has nothing to do, written to its place."""
    earlier = earlier_manifest(job.store, job.task)
    model = earlier.model if earlier else ManifestModel(label=job.task.model.label, sha256="")
    manifest = Manifest(
        uid=job.task.uid,
        owner=job.task.owner,
        items=tuple(sorted(items.settled, key=lambda each: each.uri)),
        model=model,
        task=job.task.task,
        versions={"transcriber": __version__},
        kept=items.kept,
    )
    manifest.write(job.store, job.task)
    return manifest
