"""A worker's run, top to bottom.

Every step looks for its result in the object store first, so a run may end anywhere and another
one goes on from there.
"""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path

from transcription_contract.locations import ObjectUri
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.coordination import names, preflight
from whisper_transcriber.coordination.delivery import Delivery
from whisper_transcriber.coordination.finished import ManifestWatch, find_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.language import Languages
from whisper_transcriber.coordination.layout import Items, Shard, SourceItem, item_recipe
from whisper_transcriber.coordination.listing import list_source
from whisper_transcriber.coordination.manifest import Manifest, check_any_success
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.results import settled_manifest
from whisper_transcriber.coordination.scheduler import Scheduler
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.coordination.transcribing import BatchTranscriber
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import Interrupted, TranscriberError
from whisper_transcriber.models import store as model_store
from whisper_transcriber.models.store import Checkpoint, ModelStore
from whisper_transcriber.storage.store import StoredObject

log = logging.getLogger(__name__)

LoadEngine = Callable[[Job, Checkpoint], Engine]


def run(job: Job, load_engine: LoadEngine) -> Manifest | None:
    """Do this worker's share of the job; returns when the whole job is delivered.

    Returns the manifest, or None if another worker has written it meanwhile: what thousands of
    recordings became need not be read by every worker.
    """
    job = preflight.checked(job)
    try:
        manifest = find_manifest(job.store, job.task) or _transcribe(job, load_engine)
    except Interrupted:
        # Stopped since a sibling has finished: what was stored after that one tidied up is ours.
        with suppress(TranscriberError):
            if find_manifest(job.store, job.task):
                _tidy_up(job)
        raise
    _tidy_up(job)
    if manifest:
        check_any_success(manifest)
    return manifest


def _transcribe(job: Job, load_engine: LoadEngine) -> Manifest | None:
    local_model = _local_model(job)
    items_etag = job.workspace.etag(names.ITEMS)
    items = job.workspace.agree(
        names.ITEMS, Items, lambda: list_source(job, _recipe(job, local_model))
    )
    watch = ManifestWatch(job.store, job.task, items_etag or job.workspace.etag(names.ITEMS))
    # A listing may take minutes: what was delivered during it, the watch takes for old.
    if manifest := find_manifest(job.store, job.task):
        return manifest
    if not items.items:
        return settled_manifest(job, items)
    _import_engine_meanwhile()
    state = WorkspaceState(job.workspace)
    state.look()
    with _recordings(job, items) as recordings, job.watchdog:
        _begin_to_fetch(job, items, state, recordings)
        _check_prompt(job)
        checkpoint = local_model or _checkpoint(job)
        engine = load_engine(job, checkpoint)
        if job.task.task == "translate" and engine.only_language:
            raise preflight.cannot_translate(job.task.model.label)
        languages = Languages(job, state, engine, recordings)
        with (
            closing(Planner(job, items, state, recordings, languages)) as planner,
            closing(
                Delivery(job, items, state, planner, watch, engine, checkpoint.sha256)
            ) as delivery,
        ):
            transcriber = BatchTranscriber(job, engine, recordings, strict=planner.strict)
            return Scheduler(job, items, state, planner, transcriber, delivery, watch).run()


def _local_model(job: Job) -> Checkpoint | None:
    """The user's own file, if there is one; everything else is only checked."""
    if job.settings.model_file:
        return Checkpoint.of_file(job.settings.model_file)
    model_store.check(job.task.model)
    return None


def _recipe(job: Job, local_model: Checkpoint | None) -> str:
    model = job.task.model
    return item_recipe(job.task, local_model.sha256 if local_model else model.sha256 or model.label)


@contextmanager
def _recordings(job: Job, items: Items) -> Iterator[AudioCache]:
    with (
        tempfile.TemporaryDirectory(
            dir=job.settings.work_directory, ignore_cleanup_errors=True
        ) as scratch,
        closing(_audio_cache(job, items, Path(scratch))) as recordings,
    ):
        yield recordings


def _audio_cache(job: Job, items: Items, scratch: Path) -> AudioCache:
    return AudioCache(
        [_stored(job, item) for item in items.items],
        scratch,
        store=job.store,
        limits=job.task.limits,
        interruption=job.interruption,
        sign_of_life=job.watchdog.sign_of_life,
        audio=job.task.audio,
    )


def _stored(job: Job, item: SourceItem) -> StoredObject:
    """The object of an item. A signed link's key is in the task alone."""
    uri = item.uri if job.task.has_many else job.task.source_uri
    return StoredObject(ObjectUri.parse(uri), item.etag, item.bytes)


def _begin_to_fetch(job: Job, items: Items, state: WorkspaceState, recordings: AudioCache) -> None:
    """The first recording that is needed arrives while the model is loaded."""
    if job.has_joined:
        return
    own = range(job.worker % len(items.groups), len(items.groups), job.task.workers)
    left = (group for group in own if group not in state.delivered)
    group = next(left, None)
    # What is planned may be decoded, too, so that it only has to be delivered.
    if group is not None and Shard(group, 0) not in state.plans:
        recordings.samples(items.groups[group].first)


def _check_prompt(job: Job) -> None:
    """Before a model is fetched that could not take it."""
    if job.task.decoding.initial_prompt.strip() or job.task.decoding.hotwords:
        # Imported here: it imports torch, which is on its way in another thread.
        from whisper_transcriber.engine.vocabulary import check_prompt

        check_prompt(job.task.decoding)


def _checkpoint(job: Job) -> Checkpoint:
    store = ModelStore(
        job.settings.model_directory,
        job.store,
        job.interruption,
        mirror_uri=job.task.model_mirror_uri,
        sign_of_life=job.watchdog.sign_of_life,
    )
    return store.resolve(job.task.model)


def _tidy_up(job: Job) -> None:
    """Remove the workspace; the results are delivered, so failing here fails nothing."""
    try:
        job.workspace.remove_all()
    except TranscriberError as error:
        log.warning("the workspace is left behind: %s", error)


def _import_engine_meanwhile() -> None:
    """Importing torch takes seconds of processor time; the store and ffmpeg leave them to us."""
    name = "whisper_transcriber.engine.whisper_engine"
    threading.Thread(target=import_module, args=(name,), daemon=True).start()
