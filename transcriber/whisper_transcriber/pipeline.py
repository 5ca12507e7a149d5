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

from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.coordination import layout
from whisper_transcriber.coordination.delivery import Delivery, check_any_success, find_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.language import Languages
from whisper_transcriber.coordination.layout import Items
from whisper_transcriber.coordination.listing import list_source
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.scheduler import Scheduler
from whisper_transcriber.coordination.transcribing import BatchTranscriber
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import Interrupted, TranscriberError
from whisper_transcriber.models import store as model_store
from whisper_transcriber.models.store import Checkpoint, ModelStore

log = logging.getLogger(__name__)

LoadEngine = Callable[[Job, Checkpoint, Items], Engine]


def run(job: Job, load_engine: LoadEngine) -> Manifest:
    """Do this worker's share of the job; returns when the whole job is delivered."""
    try:
        manifest = find_manifest(job.store, job.task) or _transcribe(job, load_engine)
    except Interrupted:
        # Stopped since a sibling has finished: what was stored after that one tidied up is ours.
        with suppress(TranscriberError):
            if job.task.workers > 1 and find_manifest(job.store, job.task):
                _tidy_up(job)
        raise
    _tidy_up(job)
    check_any_success(manifest)
    return manifest


def _transcribe(job: Job, load_engine: LoadEngine) -> Manifest:
    _import_engine_meanwhile()
    if job.settings.model_file is None:
        model_store.check(job.task.model)
    items = job.workspace.agree(layout.ITEMS, Items, lambda: list_source(job))
    with _recordings(job, items) as recordings, job.watchdog:
        _begin_to_fetch(job, items, recordings)
        _check_prompt(job)
        checkpoint = _checkpoint(job)
        engine = load_engine(job, checkpoint, items)
        languages = Languages(job, engine, recordings)
        with (
            closing(Planner(job, items, recordings, languages)) as planner,
            closing(Delivery(job, items, planner, checkpoint.sha256, engine.description)) as done,
        ):
            transcriber = BatchTranscriber(job, engine, recordings, strict=planner.strict)
            return Scheduler(job, items, planner, transcriber, done).run()


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
        [item.stored for item in items.items],
        scratch,
        store=job.store,
        limits=job.task.limits,
        interruption=job.interruption,
        sign_of_life=job.watchdog.sign_of_life,
    )


def _begin_to_fetch(job: Job, items: Items, recordings: AudioCache) -> None:
    """The first recording arrives while the model is loaded."""
    own = job.worker % len(items.groups)
    recordings.samples(items.groups[own].first)


def _check_prompt(job: Job) -> None:
    """Before a model is fetched that could not take it."""
    if job.task.decoding.initial_prompt.strip() or job.task.decoding.hotwords:
        # Imported here: it imports torch, which is on its way in another thread.
        from whisper_transcriber.engine.vocabulary import check_prompt

        check_prompt(job.task.decoding)


def _checkpoint(job: Job) -> Checkpoint:
    if job.settings.model_file:
        return Checkpoint.of_file(job.settings.model_file)
    store = ModelStore(
        job.settings.model_directory,
        job.store,
        job.interruption,
        mirror_uri=job.task.model_mirror_uri,
    )
    return store.resolve(job.task.model)


def _tidy_up(job: Job) -> None:
    """Remove the workspace; the results are delivered, so failing here fails nothing."""
    try:
        job.workspace.remove()
    except TranscriberError as error:
        log.warning("the workspace is left behind: %s", error)


def _import_engine_meanwhile() -> None:
    """Importing torch takes seconds of processor time; the store and ffmpeg leave them to us."""
    name = "whisper_transcriber.engine.whisper_engine"
    threading.Thread(target=import_module, args=(name,), daemon=True).start()
