"""What the source holds: its recordings, in order, as they are when the job begins."""

import logging
from collections.abc import Iterable
from fnmatch import fnmatchcase

from transcription_contract.locations import WORKSPACES, ObjectUri, item_name, result_name
from transcription_contract.task import Task
from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination import layout
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import Items, SourceItem
from whisper_transcriber.errors import ConfigurationInvalid, LimitExceeded, SourceNotFound
from whisper_transcriber.storage.store import ObjectMissingError, StoredObject

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30
"""How long the other workers leave items.json to number 0."""


def list_source(job: Job) -> Items:
    """What there is to do, unless number 0 says so first.

    Raises:
        SourceNotFound: there is no such object, or none that matches.
        LimitExceeded: the single object is larger than the job allows.
    """
    for _ in range(PATIENCE_SECONDS if job.worker else 0):
        if found := job.workspace.find(layout.ITEMS, Items):
            return found
        job.interruption.wait(1.0)
    source = ObjectUri.parse(job.task.source_uri)
    listed = _many(job, source) if source.is_prefix else (_single(job, source),)
    log.info("source %r: %d recordings", source.shown, len(listed))
    return Items(
        items=listed,
        groups=layout.groups(listed, job.task),
        slice_samples=job.settings.slice_seconds * SAMPLE_RATE,
        threads=job.settings.threads,
    )


def wanted(names: Iterable[str], task: Task) -> list[str]:
    """Those of the names below the prefix that include and exclude leave, and that are recordings.

    A pattern without a slash is matched with the last part of the name, another one with the whole;
    ``*`` stands for any characters, slashes too.
    """
    return [
        name
        for name in names
        if not name.endswith("/")
        and not name.startswith(WORKSPACES)
        and (not task.include or _matches(name, task.include))
        and not _matches(name, task.exclude)
    ]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    last = name.rpartition("/")[2]
    return any(fnmatchcase(name if "/" in pattern else last, pattern) for pattern in patterns)


def _single(job: Job, source: ObjectUri) -> SourceItem:
    try:
        stored = job.store.stat(source)
    except ObjectMissingError as error:
        advice = error.hint or ": check spec.source.uri"
        raise SourceNotFound(f"{source.shown} does not exist{advice}") from None
    limit = job.task.limits.max_file_bytes
    if stored.size > limit:
        raise LimitExceeded(
            f"{source.shown} has {stored.size} bytes, more than the {limit} that "
            "limits.maxFileBytes, of the job or of this installation, allows"
        )
    return _item(stored, result_name(str(source)))


def _many(job: Job, prefix: ObjectUri) -> tuple[SourceItem, ...]:
    if str(prefix) == job.task.output_uri:
        raise ConfigurationInvalid(
            f"{prefix} cannot be both source and output: give the transcripts a place of their own"
        )
    # Objects that are too large are listed, too: each fails with its own sentence.
    output = job.task.output_uri
    stored = {
        str(each.uri).removeprefix(str(prefix)): each
        for each in job.store.list(prefix)
        if not str(each.uri).startswith(output)
    }
    names = wanted(stored, job.task)
    if not names:
        filtered = " that include and exclude leave" if stored else ""
        raise SourceNotFound(f"{prefix} holds no recording{filtered}: check spec.source")
    return tuple(_item(stored[name], item_name(str(prefix), str(stored[name].uri)))
                 for name in names)  # fmt: skip


def _item(stored: StoredObject, name: str) -> SourceItem:
    return SourceItem(uri=str(stored.uri), etag=stored.etag, bytes=stored.size, name=name)
