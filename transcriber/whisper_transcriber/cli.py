"""The command line: the same pipeline without Kubernetes, and the store of models."""

import argparse
import hashlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from transcription_contract.exit_codes import ExitCode
from transcription_contract.locations import manifest_uri
from transcription_contract.options import ExistingOutput
from whisper_transcriber import composition, flags, logs, pipeline, settings
from whisper_transcriber.coordination.finished import earlier_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.manifest import Manifest, ManifestItem
from whisper_transcriber.coordination.results import DELIVERED
from whisper_transcriber.coordination.workspace import Workspace
from whisper_transcriber.errors import ConfigurationInvalid, Interrupted, TranscriberError
from whisper_transcriber.interruption import Interruption
from whisper_transcriber.models import command
from whisper_transcriber.progress_bar import ProgressBar
from whisper_transcriber.stopping import stop_for_good
from whisper_transcriber.storage.files import is_unicode

_STOPPED = "transcriber: stopped; the same command continues from here"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command; returns the exit code."""
    options = flags.parser().parse_args(arguments or ["--help"])
    on_terminal = sys.stderr.isatty() and not options.verbose
    logs.to_stderr(logging.WARNING if on_terminal else logging.INFO)
    try:
        if options.command == "models":
            return _models(options, environ)
        return _transcribe(options, environ, on_terminal=on_terminal)
    except Interrupted:
        print(_STOPPED, file=sys.stderr)
        return ExitCode.TRY_AGAIN
    except TranscriberError as error:
        print(f"transcriber: {logs.on_one_line(str(error))}", file=sys.stderr)
        return error.exit_code


def _transcribe(
    options: argparse.Namespace, environ: Mapping[str, str], *, on_terminal: bool
) -> int:
    _check_readable(options)
    task, model_file = flags.task_of(options)
    interruption = Interruption.by_signals()
    stop_for_good(interruption, _stopped)
    given = settings.local(environ, task, model_file)
    job = composition.make_job(given, interruption, lambda _: None, local_files=True)
    job = _another_run(job)
    with ProgressBar(job.metrics, enabled=on_terminal):
        manifest = pipeline.run(job, composition.load_engine)
    # None: a sibling, started with the same task file, has written it.
    manifest = manifest or earlier_manifest(job.store, job.task)
    return _report(manifest) if manifest else ExitCode.DONE


def _check_readable(options: argparse.Namespace) -> None:
    """Names that are not UTF-8 cannot be written into a manifest or a transcript."""
    for name in (options.source, options.output, options.model):
        if name and not is_unicode(name):
            raise ConfigurationInvalid(
                f"the name {os.fsencode(name)!r} is not UTF-8: rename the file or folder"
            )


def _stopped() -> None:
    """A batch or a library that does not stop in time costs no more than that batch."""
    print(_STOPPED, file=sys.stderr, flush=True)
    os._exit(ExitCode.TRY_AGAIN)


def _another_run(job: Job) -> Job:
    """The job as a run after the one whose manifest lies at the output, if that was the same.

    A command that was cut finds what it has done, even if other commands have delivered since.
    """
    content = job.store.find(manifest_uri(job.task.output_uri))
    if content is None or f'"{job.task.uid}"'.encode() not in content:
        return job
    if job.task.existing is ExistingOutput.FAIL:
        job.store.remove(manifest_uri(job.task.output_uri))
        return job
    uid = hashlib.sha256(job.task.uid.encode() + content).hexdigest()[:16]
    task = job.task.model_copy(update={"uid": uid})
    return replace(
        job,
        settings=replace(job.settings, task=task),
        workspace=Workspace(job.store, task.output_uri, uid),
    )


def _report(manifest: Manifest) -> int:
    for item in manifest.items:
        for output in item.outputs:
            print(logs.on_one_line(output.uri.removeprefix("file://")))
    for sentence in _notes(manifest.items):
        print(f"transcriber: {sentence}", file=sys.stderr)
    for failure in manifest.failures:
        print(f"transcriber: {logs.on_one_line(failure.message)}", file=sys.stderr)
    return ExitCode.MEDIA_INVALID if manifest.failures else ExitCode.DONE


def _notes(items: Sequence[ManifestItem]) -> list[str]:
    """What a person should know of recordings that were left alone."""
    done = sum(1 for each in items if each.skipped == DELIVERED)
    others = sum(1 for each in items if each.skipped) - done
    notes = []
    if done:
        notes.append(f"{_files(done, 'recording')} already transcribed: skipped; --overwrite "
                     "transcribes everything again")  # fmt: skip
    if others:
        notes.append(f"{_files(others, 'other file')} not media: skipped")
    return notes


def _files(count: int, kind: str) -> str:
    return f"1 {kind} is" if count == 1 else f"{count} {kind}s are"


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
