"""From stored parts to delivered transcripts, and the manifest that says so."""

import hashlib
import json
import logging

from transcription_contract import __version__
from transcription_contract.locations import manifest_uri, result_uri
from transcription_contract.options import OutputFormat
from transcription_contract.task import Task
from whisper_transcriber import outputs, shards, transcript
from whisper_transcriber.errors import OutputTaken, PlanChanged
from whisper_transcriber.job import Job
from whisper_transcriber.manifest import Manifest, ManifestItem, ManifestModel, ManifestOutput
from whisper_transcriber.outputs import CONTENT_TYPES, Transcript
from whisper_transcriber.plan import SAMPLE_RATE
from whisper_transcriber.planner import Planner
from whisper_transcriber.shards import Items, Part, Recipe
from whisper_transcriber.store import ObjectStore
from whisper_transcriber.transcript import Segment

log = logging.getLogger(__name__)


def find_manifest(store: ObjectStore, task: Task) -> Manifest | None:
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
    if task.overwrite:
        return None
    raise OutputTaken(
        f"{task.output_uri} holds the results of {owner} already: choose another spec.output.uri, "
        "or state spec.output.overwrite: true"
    )


def deliver(job: Job, items: Items, planner: Planner, how: Recipe) -> Manifest:
    """Put the transcripts together from the stored parts, write them, and last the manifest.

    Raises:
        PlanChanged: the workspace is no longer the one that this worker worked on.
        OutputTaken: another job was faster.
    """
    segments = _segments(job, planner, how)
    unchanged = segments is not None and job.workspace.find(shards.ITEMS, Items) == items
    # Looked for now, at the latest: nobody's results are written over, and another worker of this
    # job may have delivered, and removed the workspace under our feet.
    if manifest := find_manifest(job.store, job.task):
        return manifest
    if segments is None or not unchanged:
        raise PlanChanged("the workspace is not the one that was worked on; the next pod goes on")
    whole = _transcript(job, items, planner, how, segments)
    written = tuple(_write(job, whole, each) for each in job.task.formats)
    manifest = _manifest(job.task, items, whole, written, how)
    content = manifest.model_dump_json(by_alias=True, indent=1).encode() + b"\n"
    job.store.put(manifest_uri(job.task.output_uri), content)
    log.info("delivered %s", ", ".join(each.uri for each in written))
    return manifest


def _segments(job: Job, planner: Planner, how: Recipe) -> list[Segment] | None:
    """What all parts say, or None when one is gone."""
    found: list[Segment] = []
    for shard in range(planner.shard_count):
        for name in shards.part_names(shard, planner.shard(shard), how):
            part = job.workspace.find(name, Part)
            if part is None:
                return None
            found += part.segments
    return found


def _transcript(
    job: Job, items: Items, planner: Planner, how: Recipe, segments: list[Segment]
) -> Transcript:
    duration = round(planner.audio.samples / SAMPLE_RATE, 3)
    return Transcript(
        segments=transcript.join(segments, duration),
        language=how.language,
        duration=duration,
        source=items.items[0].uri,
        model=job.task.model.label,
        model_sha256=how.model_sha256,
        task=how.task,
    )


def _write(job: Job, whole: Transcript, output_format: OutputFormat) -> ManifestOutput:
    uri = result_uri(job.task.source_uri, job.task.output_uri, output_format)
    content = outputs.render(whole, output_format)
    job.store.put(uri, content, CONTENT_TYPES[output_format])
    return ManifestOutput(
        format=output_format,
        uri=str(uri),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _manifest(
    task: Task, items: Items, whole: Transcript, written: tuple[ManifestOutput, ...], how: Recipe
) -> Manifest:
    source = items.items[0]
    item = ManifestItem(
        uri=source.uri,
        etag=source.etag,
        bytes=source.bytes,
        seconds=whole.duration,
        language=whole.language,
        outputs=written,
    )
    return Manifest(
        uid=task.uid,
        owner=task.owner,
        items=(item,),
        model=ManifestModel(label=task.model.label, sha256=how.model_sha256),
        task=task.task,
        versions={"transcriber": __version__, "engine": how.engine},
    )


def _owner(content: bytes) -> tuple[str, str | None]:
    try:
        found = json.loads(content)
        return f"the TranscriptionJob {found['owner']!s:.200}", str(found["uid"])
    except (ValueError, KeyError, TypeError):
        return "something else, whose manifest.json is none of ours,", None
