"""What the source holds: its recordings, in order, as they are when the job begins."""

import logging
from collections.abc import Iterable
from fnmatch import fnmatchcase

from transcription_contract.locations import (
    WORKSPACES,
    ObjectUri,
    item_name,
    manifest_uri,
    result_name,
    result_uri,
)
from transcription_contract.options import OutputFormat
from transcription_contract.task import Task
from whisper_transcriber.audio.media import check_size
from whisper_transcriber.audio.signatures import is_known_junk
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination import layout, names
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import Items, SourceItem
from whisper_transcriber.coordination.manifest import ManifestItem
from whisper_transcriber.coordination.results import EarlierResults
from whisper_transcriber.errors import ConfigurationInvalid, SourceNotFound
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30
"""How long the other workers leave items.json to number 0."""

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload")
"""What browsers and sync clients call a file that has not arrived yet."""

JUNK = "not a recording, by its name"
"""Why an object that an operating system or a sync client left behind is skipped."""


def list_source(job: Job, recipe: str) -> Items:
    """The job's work: what the source holds, less what needs nothing done.

    Args:
        job: this worker's.
        recipe: see layout.item_recipe.

    Raises:
        SourceNotFound: there is no such object, or none that matches.
        LimitExceeded: the single object is larger than the job allows.
        OutputTaken: a transcript's name is taken by one of another recording.
    """
    for _ in range(PATIENCE_SECONDS if job.worker else 0):
        if found := job.workspace.find(names.ITEMS, Items):
            return found
        job.interruption.wait(1.0)
    source = ObjectUri.parse(job.task.source_uri)
    listed, junk = _many(job, source) if source.is_prefix else ((_single(job, source),), ())
    earlier = EarlierResults.of(job)
    left, settled = earlier.divide(listed, recipe)
    log.info(
        "source %s: %d recordings, %d of them delivered already; %d other files skipped",
        source.shown, len(listed), len(settled), len(junk),
    )  # fmt: skip
    left = tuple(earlier.named_apart(item) for item in left)
    return Items(
        items=left,
        groups=layout.groups(left, job.task),
        slice_samples=job.settings.slice_seconds * SAMPLE_RATE,
        recipe=recipe,
        settled=(*settled, *junk),
        kept=earlier.kept(listed),
    )


def wanted(found: Iterable[str], task: Task) -> list[str]:
    """Those of the names below the prefix that include and exclude leave.

    A pattern without a slash is matched with the last part of the name, another one with the whole;
    ``*`` stands for any characters, slashes too. Upper and lower case are the same.
    """
    return [
        name
        for name in found
        if not name.endswith("/")
        and not name.startswith(WORKSPACES)
        and (not task.include or _matches(name, task.include))
        and not _matches(name, task.exclude)
    ]


def is_junk(name: str) -> bool:
    """Whether a name is one that systems and sync clients give to files that are no recordings."""
    return is_known_junk(name) or name.lower().endswith(_UNFINISHED)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    whole = name.lower()
    last = whole.rpartition("/")[2]
    return any(
        fnmatchcase(whole if "/" in pattern else last, pattern.lower()) for pattern in patterns
    )


def _single(job: Job, source: ObjectUri) -> SourceItem:
    try:
        stored = job.store.stat(source)
    except ObjectMissingError as error:
        advice = error.hint or ": check spec.source.uri"
        raise SourceNotFound(f"{source.shown} does not exist{advice}") from None
    check_size(source.shown, stored.size, job.task.limits)
    return _item(stored, result_name(str(source)))


def _many(job: Job, prefix: ObjectUri) -> tuple[tuple[SourceItem, ...], tuple[ManifestItem, ...]]:
    if str(prefix) == job.task.output_uri:
        raise ConfigurationInvalid(
            f"{prefix} cannot be both source and output: choose a different output"
        )
    # Objects that are too large are listed, too: each fails with its own sentence.
    stored = {str(each.uri).removeprefix(str(prefix)): each for each in job.store.list(prefix)}
    found = wanted(_without_results(stored, prefix, job.task), job.task)
    junk = {name for name in found if is_junk(name)}
    listed = tuple(
        _item(stored[name], item_name(str(prefix), str(stored[name].uri)))
        for name in found
        if name not in junk
    )
    if not listed:
        filtered = " that include and exclude leave" if stored else ""
        raise SourceNotFound(f"{prefix} holds no recording{filtered}: check spec.source")
    return listed, tuple(_skipped(stored[name]) for name in found if name in junk)


def _without_results(found: Iterable[str], prefix: ObjectUri, task: Task) -> list[str]:
    """Names of the source without this job's own results and workspaces."""
    source, output = str(prefix), task.output_uri
    if output.startswith(source):
        below = output.removeprefix(source)
        return [name for name in found if not name.startswith(below)]
    if not source.startswith(output):
        return list(found)
    # The output is a folder around the source: other folders in it are none of its business.
    results = {str(manifest_uri(output))} | {
        str(result_uri(item_name(source, source + name), output, each))
        for name in found
        for each in OutputFormat
    }
    workspaces = output + WORKSPACES
    return [name for name in found
            if source + name not in results
            and not (source + name).startswith(workspaces)]  # fmt: skip


def _item(stored: StoredObject, name: str) -> SourceItem:
    return SourceItem(uri=stored.shown, etag=stored.etag, bytes=stored.size, name=name)


def _skipped(stored: StoredObject) -> ManifestItem:
    return ManifestItem(uri=str(stored.uri), etag=stored.etag, bytes=stored.size, skipped=JUNK)
