"""The composition of a worker: settings to a job with its links to the world, and its engine."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.workspace import Workspace
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.metrics import Metrics
from whisper_transcriber.models.catalogue import is_aligned, official_name
from whisper_transcriber.models.store import Checkpoint, ModelStore
from whisper_transcriber.settings import DEFAULT_RETRY_SECONDS, Settings, store_of_shell
from whisper_transcriber.storage.files import FileStore
from whisper_transcriber.storage.router import StoreRouter
from whisper_transcriber.storage.s3 import S3Store
from whisper_transcriber.storage.store import Store
from whisper_transcriber.storage.web import WebSource
from whisper_transcriber.watchdog import Watchdog

log = logging.getLogger(__name__)


def make_job(
    settings: Settings,
    interruption: Interruption,
    on_standstill: Callable[[float], None],
    *,
    local_files: bool,
) -> Job:
    """A job that is ready to run.

    Args:
        settings: of this worker.
        interruption: what a signal handler requests.
        on_standstill: called from another thread when no unit was finished for so many seconds.
        local_files: whether file:// URIs are allowed: a pod has no business with its own disk.
    """
    store = StoreRouter(_stores(settings, interruption, local_files=local_files))
    return Job(
        settings=settings,
        store=store,
        workspace=Workspace(store, settings.task.output_uri, settings.task.uid),
        metrics=Metrics(),
        interruption=interruption,
        watchdog=Watchdog(on_standstill),
        renames_results=local_files,
    )


def _stores(
    settings: Settings, interruption: Interruption, *, local_files: bool
) -> dict[str, Store]:
    made: dict[str, Store] = {
        "https": WebSource(
            interruption,
            retry_seconds=settings.store.retry_seconds if settings.store else DEFAULT_RETRY_SECONDS,
            allowed_networks=settings.task.allowed_networks,
            certificates=settings.store.certificates if settings.store else None,
        )
    }
    if settings.store:
        made["s3"] = S3Store(settings.store, interruption)
    if local_files:
        made["file"] = FileStore(interruption)
    return made


def make_model_store(
    environ: Mapping[str, str], directory: Path, mirror_uri: str | None
) -> ModelStore:
    """Where the command line finds models; from now on a signal ends its downloads."""
    interruption = Interruption.by_signals()
    by_scheme: dict[str, Store] = {"file": FileStore(interruption)}
    if mirror_uri and mirror_uri.startswith("s3:"):
        by_scheme["s3"] = S3Store(store_of_shell(environ), interruption)
    return ModelStore(directory, StoreRouter(by_scheme), interruption, mirror_uri=mirror_uri)


def load_engine(job: Job, checkpoint: Checkpoint) -> Engine:
    """The job's model, loaded."""
    # Imported here: torch takes seconds that the first steps and their mistakes need not wait for.
    from whisper_transcriber.engine.whisper_engine import WhisperEngine

    log.info("loading the model %r", job.task.model.label)
    engine = WhisperEngine.load(
        checkpoint.path,
        label=official_name(job.task.model) or job.task.model.label,
        task=job.task.task,
        decoding=job.task.decoding,
        aligned=is_aligned(job.task),
        word_timestamps=job.task.times_words,
        threads=job.settings.threads,
    )
    log.info("engine: %s, %d threads", engine.description, job.settings.threads)
    return engine
