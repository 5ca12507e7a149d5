"""submit: recordings into the store, a TranscriptionJob for them, and its transcript."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from kubectl_transcribe import flags, following, printing
from kubectl_transcribe.access import how_to_make, missing
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import (
    AccessDeniedError,
    ForbiddenError,
    JobFailedError,
    NotFoundError,
    PluginError,
    RefusedError,
)
from kubectl_transcribe.manifest import Submission, Wishes, submissions
from kubectl_transcribe.store import Store
from kubectl_transcribe.terminal import line, say
from kubectl_transcribe.verbs import result
from transcription_api.object_store import DEFAULT_SECRET
from transcription_contract.options import ChannelMode, ExistingOutput, OutputFormat


@click.command()
@click.argument("sources", metavar="FILE|URI...", nargs=-1, required=True, type=click.Path())
@click.option("--name", help="The TranscriptionJob's. Default: the file's name and five letters.")
@click.option("--bucket", envvar="TRANSCRIBE_BUCKET", show_envvar=True,
              help="Receives local files, below recordings/, and, without --output, the "
              "transcripts, below transcripts/.")  # fmt: skip
@click.option("--output", metavar="URI", help="The transcripts' prefix: s3://transcripts/standup/")
@click.option("--format", "formats", multiple=True, type=click.Choice(result.FORMATS),
              help="A format of the transcripts; may be given several times. Default: json, vtt "
              "and txt.")  # fmt: skip
@click.option("--model", metavar="NAME|URI",
              help="An official Whisper model, or s3://... of your own with --model-sha256. "
              "Default: turbo.")  # fmt: skip
@click.option("--model-sha256", metavar="HEX", help="The checksum of a model of your own.")
@click.option("--language", metavar="CODE",
              help="Language of the recordings, such as en. Default: auto, which detects "
              "it.")  # fmt: skip
@click.option("--translate", is_flag=True, help="Translate into English.")
@click.option("--track", metavar="auto|all|N",
              help="Audio track: auto, all (each as a speaker), or its number. Default: "
              "auto.")  # fmt: skip
@click.option("--channels", type=click.Choice([each.value for each in ChannelMode]),
              help="separate: transcribe each channel as a speaker. Default: mix.")  # fmt: skip
@click.option("--hotword", "hotwords", multiple=True,
              help="A name or term to expect; may be given several times.")  # fmt: skip
@click.option("--operator-class", envvar="TRANSCRIBE_OPERATOR_CLASS", show_envvar=True,
              help="The class of the operator that runs the TranscriptionJob, where a cluster has "
              "several. Default: the operator without a class.")  # fmt: skip
@click.option("--node-pool", help="Where to run. Default: the operator's choice by model.")
@click.option("--workers", type=click.IntRange(min=1), help="Pods that share the work. Default: 1.")
@click.option("--secret", help="The Secret that opens the object store.")
@click.option("--existing", type=click.Choice([each.value for each in ExistingOutput]),
              help="Transcripts that another TranscriptionJob delivered to the same place. skip: "
              "keep those of the same recordings and options. overwrite: replace them. "
              "Default: fail.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Short for --existing overwrite.")
@click.option("--follow", is_flag=True, help="Show progress, and then the transcript.")
@flags.timeout
@click.option("--dry-run", is_flag=True, help="Only print what would be created.")
@click.option("-o", "form", type=click.Choice(printing.OBJECTS), help="How to print what was done.")
@flags.endpoint
@flags.connection
@click.pass_context
def submit(
    context: click.Context,
    /,
    sources: Sequence[str],
    follow: bool,
    timeout: float | None,
    dry_run: bool,
    form: str | None,
    endpoint: str | None,
    formats: Sequence[str],
    channels: str | None,
    existing: str | None,
    overwrite: bool,
    **given: Any,
) -> None:
    """Transcribe recordings: files of this machine, or URIs.

    URIs are s3://bucket/key, s3://bucket/prefix/ and https://... Local files are uploaded and make
    one TranscriptionJob; each URI makes one of its own. The names of the TranscriptionJobs are
    printed, with --follow the transcripts: of several jobs one after the other, and exit code 1 at
    the end when one of them has none.
    """
    if timeout is not None and not follow:
        raise click.UsageError("--timeout goes with --follow")
    cluster = flags.connect(context)
    if overwrite and existing not in (None, ExistingOutput.OVERWRITE):
        raise click.UsageError(f"--overwrite and --existing {existing} contradict each other")
    wishes = Wishes(
        formats=tuple(OutputFormat(each) for each in formats),
        channels=ChannelMode(channels) if channels else None,
        existing=ExistingOutput.OVERWRITE if overwrite else _existing(existing),
        **given,
    )
    planned = _planned(sources, wishes, cluster.namespace)
    if dry_run:
        manifests = [each.manifest for each in planned]
        click.echo(printing.text(manifests, form or "yaml"), nl=False)
        return
    for each in planned:
        # Before minutes of upload, not after them.
        cluster.create(each.manifest, dry_run=True)
    _require_secret(cluster, wishes.secret or DEFAULT_SECRET)
    if wishes.name:
        _require_own_prefix(cluster, planned[0], endpoint)
    for each in planned:
        _upload(cluster, each, endpoint)
        made = cluster.create(each.manifest)
        printing.show_change(made, form, "created", beside=follow)
    if follow:
        _follow(cluster, [each.name for each in planned], timeout, endpoint)


def _existing(stated: str | None) -> ExistingOutput | None:
    return ExistingOutput(stated) if stated else None


def _planned(sources: Sequence[str], wishes: Wishes, namespace: str) -> list[Submission]:
    try:
        planned = submissions(sources, wishes, namespace)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for path in (path for each in planned for path in each.uploads):
        _require_file(Path(path))
    return planned


def _follow(
    cluster: Cluster, names: Sequence[str], timeout: float | None, endpoint: str | None
) -> None:
    """To the end of each of them: one that fails does not keep the others' transcripts."""
    failed = []
    for name in names:
        try:
            job = following.follow(cluster, name, timeout)
            result.show(cluster, job, None, endpoint)
        except PluginError as error:
            if len(names) == 1:
                raise
            error.show()
            failed.append(name)
    if failed:
        raise JobFailedError(
            f"{len(failed)} of {len(names)} TranscriptionJobs have no transcript here: "
            f"{', '.join(failed)}"
        )


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise click.UsageError(f"{line(str(path))} is a folder: name its files, such as {path}/*")
    if path.exists() and not path.is_file():
        raise click.UsageError(f"{line(str(path))} is no file: its size is not known beforehand")
    try:
        path.open("rb").close()
    except OSError as error:
        raise click.UsageError(f"{line(str(path))}: {error.strerror}") from error
    if not path.stat().st_size:
        raise click.UsageError(f"{line(str(path))} is empty: nothing in it can be transcribed")


def _require_secret(cluster: Cluster, name: str) -> None:
    here = cluster.namespace
    try:
        cluster.secret(name)
    except ForbiddenError:
        # Workers may find it nonetheless.
        return
    except NotFoundError as error:
        raise NotFoundError(
            f"{missing(name, here)}, and no worker starts without it: "
            f"`{how_to_make(name, here)}` makes it"
        ) from error


def _require_own_prefix(cluster: Cluster, submission: Submission, endpoint: str | None) -> None:
    """What lies below a prefix is transcribed, whoever uploaded it."""
    if not submission.uploads or not submission.prefix:
        return
    store = Store.open(cluster, submission.store, endpoint, os.environ)
    ours = set(submission.uploads.values())
    try:
        found = next((uri for uri in store.below(submission.prefix) if uri not in ours), None)
    except AccessDeniedError as error:
        say(f"warning: {error.message}: what lies there already is transcribed, too")
        return
    if found:
        raise RefusedError(
            f"{line(str(found))} is there already, and would be transcribed, too: choose another "
            "--name, or remove it"
        )


def _upload(cluster: Cluster, submission: Submission, endpoint: str | None) -> None:
    if not submission.uploads:
        return
    store = Store.open(cluster, submission.store, endpoint, os.environ)
    for local, uri in submission.uploads.items():
        path = Path(local)
        size = path.stat().st_size
        bar = {"desc": f"uploading {line(path.name)}", "leave": False, "disable": None}
        with path.open("rb") as file, tqdm.wrapattr(file, "read", total=size, **bar) as counted:
            store.upload(counted, size, uri)
        say(f"uploaded {line(path.name)} to {uri}")
