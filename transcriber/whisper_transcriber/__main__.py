"""The program: a pod's worker where TASK is set, a command line where there are arguments."""

import os
import signal
import sys

from transcription_contract.exit_codes import ENDINGS, ExitCode

if __name__ == "__main__":
    # A container's first process ignores SIGTERM until it handles it; the imports take a second.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(ExitCode.INTERRUPTED))

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from transcription_contract.termination import Failure, Termination, encode
from whisper_transcriber import cli, composition, logs, pipeline, settings
from whisper_transcriber.errors import Interrupted, Stalled, TranscriberError
from whisper_transcriber.interruption import STOPPED, Interruption
from whisper_transcriber.stopping import stop_for_good

log = logging.getLogger("whisper_transcriber")

POD_STOP_SECONDS = 20.0
"""Less than the 30 s that Kubernetes leaves a pod between SIGTERM and SIGKILL."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run to the end; returns the exit code."""
    if not arguments and settings.in_pod(environ):
        logs.to_stderr()
        return run_pod(environ)
    return cli.main(arguments, environ)


def run_pod(environ: Mapping[str, str]) -> ExitCode:
    """Run one worker to its end, and say how it ended in the termination message."""
    last_words = settings.termination_path(environ)
    try:
        termination, code = _transcribe(environ, last_words), ExitCode.DONE
    except TranscriberError as error:
        log.error("%s: %s", error.reason, error)
        termination, code = Termination(error=error.failure), error.exit_code
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
    interruption = Interruption.by_signals()
    job = composition.make_job(
        given,
        interruption,
        lambda seconds: _give_up(last_words, seconds),
        local_files=False,
    )
    job.metrics.serve(given.metrics_port)
    log.info("worker %d of %d for %r", given.worker, given.task.workers, given.task.owner)
    stop_for_good(interruption, lambda: _stop(last_words), POD_STOP_SECONDS)
    manifest = pipeline.run(job, composition.load_engine)
    return Termination(result=manifest.result() if manifest else None)


def _stop(last_words: Path) -> None:
    """A batch that takes too long after SIGTERM is given up: the next pod decodes it."""
    interrupted = Interrupted(STOPPED)
    log.warning("%s: a batch was given up", interrupted.reason)
    _say(last_words, Termination(error=interrupted.failure))
    _exit(interrupted.exit_code)


def _give_up(last_words: Path, seconds: float) -> None:
    """The watchdog's: the thread that hangs cannot be ended, so the process is."""
    stalled = Stalled(f"no unit was finished for {seconds:.0f} seconds")
    log.error("%s: %s", stalled.reason, stalled)
    _say(last_words, Termination(error=stalled.failure))
    _exit(stalled.exit_code)


def _say(path: Path, termination: Termination) -> None:
    try:
        path.write_text(encode(termination))
    except OSError as error:
        log.warning("the last words could not be written: %s", error)


def _exit(code: int) -> None:
    # Not sys.exit: a thread that still imports torch would crash, or hold up, the interpreter's
    # own end, and change the exit code that the Job controller sees.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def entry() -> None:
    """The console script's."""
    _exit(main(sys.argv[1:], os.environ))


if __name__ == "__main__":
    entry()
