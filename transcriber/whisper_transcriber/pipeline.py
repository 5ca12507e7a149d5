"""A worker's run, top to bottom.

Every step looks for its result in the object store first, so a run may end anywhere and another
one goes on from there.
"""

import logging
import tempfile
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from transcription_contract.locations import S3Uri
from transcription_contract.options import LANGUAGE_AUTO
from whisper_transcriber import language, media, shards
from whisper_transcriber.delivery import deliver, find_manifest
from whisper_transcriber.engine.gates import UnitDecoder
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import (
    LimitExceeded,
    SourceNotFound,
    SourceReplaced,
    TranscriberError,
)
from whisper_transcriber.job import Job
from whisper_transcriber.manifest import Manifest
from whisper_transcriber.models import Checkpoint, ModelStore
from whisper_transcriber.plan import SAMPLE_RATE
from whisper_transcriber.planner import Planner
from whisper_transcriber.samples import Samples
from whisper_transcriber.shards import ItemLanguage, Items, SourceItem
from whisper_transcriber.store import ObjectMissingError, StoredObject
from whisper_transcriber.work import UnitLoop

log = logging.getLogger(__name__)

LoadEngine = Callable[[Job, Checkpoint, Items], Engine]

LISTING_PATIENCE_SECONDS = 30
"""How long the other workers leave items.json to number 0."""


def run(job: Job, load_engine: LoadEngine) -> Manifest:
    """Do this worker's share of the job; returns when the whole job is delivered."""
    manifest = find_manifest(job.store, job.task) or _transcribe(job, load_engine)
    _tidy_up(job)
    return manifest


def _transcribe(job: Job, load_engine: LoadEngine) -> Manifest:
    _import_engine_meanwhile()
    items = job.workspace.agree(shards.ITEMS, Items, lambda: _list_source(job))
    checkpoint = ModelStore(job.settings.model_directory, job.store, job.interruption).resolve(
        job.task.model
    )
    with (
        tempfile.TemporaryDirectory(dir=job.settings.work_directory) as scratch,
        Samples(_fetch(job, items.items[0], Path(scratch))) as samples,
    ):
        engine = load_engine(job, checkpoint, items)
        planner = Planner(job.workspace, job.task, samples, items.slice_samples)
        spoken = _language(job, engine, planner, samples)
        how = shards.recipe(job.task, items, checkpoint.sha256, engine.description, spoken)
        decoder = UnitDecoder(
            engine, spoken, job.task.batch_size, samples.waveform, samples.integers
        )
        with job.watchdog:
            finished = UnitLoop(job, planner, how, decoder).run()
        return finished or deliver(job, items, planner, how)


def _tidy_up(job: Job) -> None:
    """Remove the workspace; the results are delivered, so failing here fails nothing."""
    try:
        job.workspace.remove()
    except TranscriberError as error:
        log.warning("the workspace is left behind: %s", error)


def _list_source(job: Job) -> Items:
    """What there is to do, unless number 0 says so first."""
    for _ in range(LISTING_PATIENCE_SECONDS if job.worker else 0):
        if found := job.workspace.find(shards.ITEMS, Items):
            return found
        job.interruption.wait(1.0)
    source = S3Uri.parse(job.task.source_uri)
    try:
        stored = job.store.stat(source)
    except ObjectMissingError:
        raise SourceNotFound(f"{source} does not exist: check spec.source.uri") from None
    limit = job.task.limits.max_file_bytes
    if stored.size > limit:
        raise LimitExceeded(
            f"{source} has {stored.size} bytes, more than the {limit} that the job allows"
        )
    log.info("source %r: %d bytes", str(source), stored.size)
    return Items(
        items=(SourceItem(uri=str(source), etag=stored.etag, bytes=stored.size),),
        slice_samples=job.settings.slice_seconds * SAMPLE_RATE,
        threads=job.settings.threads,
    )


def _fetch(job: Job, item: SourceItem, scratch: Path) -> Path:
    """The item as samples on disk; what was downloaded is removed again."""
    source = StoredObject(S3Uri.parse(item.uri), item.etag, item.bytes)
    # A name of ours: the user's could be an option, a URL or a pattern to ffmpeg.
    recording, decoded = scratch / "recording", scratch / "samples"
    try:
        job.store.download(source, recording)
    except ObjectMissingError:
        raise SourceReplaced(f"{item.uri} was removed while the job was running") from None
    log.info("decoding %r", item.uri)
    media.decode(
        recording, decoded,
        uri=item.uri, limits=job.task.limits, interruption=job.interruption,
    )  # fmt: skip
    recording.unlink()
    return decoded


def _language(job: Job, engine: Engine, planner: Planner, samples: Samples) -> str:
    """The job's language, or the one that the first slice with speech is in."""
    if engine.only_language and job.task.language == LANGUAGE_AUTO:
        return engine.only_language
    if job.task.language != LANGUAGE_AUTO:
        engine.check_language(job.task.language)
        return job.task.language
    stored = job.workspace.agree(
        shards.item_language_name(0), ItemLanguage, lambda: _vote(engine, planner, samples)
    )
    log.info("language: %s (%.0f %%)", stored.language, 100 * stored.probability)
    return stored.language


def _vote(engine: Engine, planner: Planner, samples: Samples) -> ItemLanguage:
    for number in range(planner.shard_count):
        windows = [window for unit in planner.shard(number).units for window in unit.windows]
        if windows:
            chosen = language.voters(windows)
            waveforms = [samples.waveform(window.start, window.stop) for window in chosen]
            return language.vote(engine.language_probabilities(waveforms))
    return language.NO_SPEECH


def _import_engine_meanwhile() -> None:
    """Importing torch takes seconds of processor time; the store and ffmpeg leave them to us."""
    name = "whisper_transcriber.engine.whisper_engine"
    threading.Thread(target=import_module, args=(name,), daemon=True).start()
