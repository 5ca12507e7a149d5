"""The command line: the same pipeline without Kubernetes, and the store of models."""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence

from transcription_contract.exit_codes import ExitCode
from transcription_contract.locations import manifest_uri
from whisper_transcriber import composition, flags, logs, pipeline, settings
from whisper_transcriber.coordination.delivery import find_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.errors import Interrupted, TranscriberError
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import command
from whisper_transcriber.progress_bar import ProgressBar


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command; returns the exit code."""
    options = flags.parser().parse_args(arguments or ["--help"])
    on_terminal = sys.stderr.isatty() and not options.verbose
    logs.to_stderr(logging.WARNING if on_terminal else logging.INFO)
    try:
        if options.command == "models":
            return _models(options, environ)
        return _transcribe(options, environ, on_terminal=on_terminal)
    except TranscriberError as error:
        print(f"transcriber: {logs.on_one_line(str(error))}", file=sys.stderr)
        return error.exit_code


def _transcribe(
    options: argparse.Namespace, environ: Mapping[str, str], *, on_terminal: bool
) -> int:
    task, model_file = flags.task_of(options)
    interruption = Interruption.by_signals()
    given = settings.local(environ, task, model_file)
    job = composition.make_job(given, interruption, lambda _: None, local_files=True)
    _forget_finished_run(job)
    try:
        with ProgressBar(job.metrics, enabled=on_terminal):
            manifest = pipeline.run(job, composition.load_engine)
    except Interrupted:
        print("transcriber: stopped; the same command goes on from here", file=sys.stderr)
        return ExitCode.TRY_AGAIN
    return _report(manifest)


def _forget_finished_run(job: Job) -> None:
    """Whoever gives the same command again wants it done again."""
    if find_manifest(job.store, job.task):
        job.store.remove(manifest_uri(job.task.output_uri))


def _report(manifest: Manifest) -> int:
    for item in manifest.items:
        for output in item.outputs:
            print(logs.on_one_line(output.uri.removeprefix("file://")))
    for failure in manifest.failures:
        print(f"transcriber: {logs.on_one_line(failure.message)}", file=sys.stderr)
    return ExitCode.MEDIA_INVALID if manifest.failures else ExitCode.DONE


def _models(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    directory = options.directory or settings.model_directory(environ)
    if not options.preload:
        print(command.list_models(directory), end="")
        return ExitCode.DONE
    names = [name.strip() for name in options.preload.split(",") if name.strip()]
    store = composition.make_model_store(environ, directory, options.mirror)
    for checkpoint in command.preload(names, store):
        print(checkpoint.path)
    return ExitCode.DONE
