"""The composition root: environment in, exit code and last words out."""

import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from transcription_contract.exit_codes import ENDINGS, ExitCode
from transcription_contract.termination import Failure, Termination, encode
from whisper_transcriber import pipeline, settings
from whisper_transcriber.engine.protocol import Engine
from whisper_transcriber.errors import Stalled, TranscriberError
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.job import Job
from whisper_transcriber.metrics import Metrics
from whisper_transcriber.models import Checkpoint
from whisper_transcriber.shards import Items
from whisper_transcriber.store import ObjectStore
from whisper_transcriber.watchdog import Watchdog
from whisper_transcriber.workspace import Workspace

log = logging.getLogger("whisper_transcriber")


def main(environ: Mapping[str, str]) -> ExitCode:
    """Run one worker to its end, and say how it ended in the termination message."""
    last_words = settings.termination_path(environ)
    try:
        termination, code = _transcribe(environ, last_words), ExitCode.DONE
    except TranscriberError as error:
        log.error("%s: %s", error.reason, error)
        termination, code = _failure(error), error.exit_code
    except Exception:
        log.exception("this is a bug")
        code = ExitCode.INTERNAL_ERROR
        ending = ENDINGS[code]
        failure = Failure(reason=ending.reason, message=ending.sentence)
        termination = Termination(error=failure)
    _say(last_words, termination)
    return code


def _transcribe(environ: Mapping[str, str], last_words: Path) -> Termination:
    given = settings.read(environ)
    interruption = Interruption()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: interruption.request())
    metrics = Metrics()
    metrics.serve(given.metrics_port)
    store = ObjectStore(given.store, interruption)
    job = Job(
        settings=given,
        store=store,
        workspace=Workspace(store, given.task.output_uri, given.task.uid),
        metrics=metrics,
        interruption=interruption,
        watchdog=Watchdog(lambda seconds: _give_up(last_words, seconds)),
    )
    log.info("worker %d of %d for %r", given.worker, given.task.workers, given.task.owner)
    return Termination(result=pipeline.run(job, _load_engine).result())


def _load_engine(job: Job, checkpoint: Checkpoint, items: Items) -> Engine:
    # Imported here: torch takes seconds that the first steps and their mistakes need not wait for.
    from whisper_transcriber.engine.whisper_engine import WhisperEngine

    log.info("loading the model %r", job.task.model.label)
    engine = WhisperEngine.load(
        checkpoint.path,
        label=job.task.model.label,
        task=job.task.task,
        initial_prompt=job.task.decoding.initial_prompt,
        threads=items.threads,
    )
    log.info("engine: %s, %d threads", engine.description, items.threads)
    return engine


def _give_up(last_words: Path, seconds: float) -> None:
    """The watchdog's: the thread that hangs cannot be ended, so the process is."""
    stalled = Stalled(f"no unit was finished for {seconds:.0f} seconds")
    log.error("%s: %s", stalled.reason, stalled)
    _say(last_words, _failure(stalled))
    _exit(stalled.exit_code)


def _failure(error: TranscriberError) -> Termination:
    return Termination(error=Failure(reason=error.reason, message=str(error)))


def _say(path: Path, termination: Termination) -> None:
    try:
        path.write_text(encode(termination))
    except OSError as error:
        log.warning("the last words could not be written: %s", error)


class OneLineFormatter(logging.Formatter):
    """Keeps a message on one line, so that an object's name cannot forge another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        """The line without the traceback, which keeps its lines."""
        return "".join(
            character if character.isprintable() else repr(character)[1:-1]
            for character in super().formatMessage(record)
        )


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _exit(code: ExitCode) -> None:
    # Not sys.exit: a thread that still imports torch would crash, or hold up, the interpreter's
    # own end, and change the exit code that the Job controller sees.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _log_to_stderr()
    _exit(main(os.environ))
