"""result: the transcripts of a job, onto the terminal or into files."""

import os
from pathlib import Path

import click
from pydantic import ValidationError

from kubectl_transcribe import flags
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import NotFoundError
from kubectl_transcribe.progress import no_result_yet, shortfall
from kubectl_transcribe.store import Store
from kubectl_transcribe.terminal import line, say, write
from kubectl_transcribe.transcripts import Delivered, Transcript, chosen, is_silent, remarks
from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.locations import ObjectUri, manifest_uri
from transcription_contract.options import OutputFormat

FORMATS = tuple(each.value for each in OutputFormat)


@click.command()
@flags.job_name
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(FORMATS),
    help="The transcript's format. Default: the most readable that was delivered; with --download, "
    "all of them.",
)
@click.option(
    "-d",
    "--download",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the transcripts into a folder instead.",
)
@flags.endpoint
@flags.connection
@click.pass_context
def result(
    context: click.Context,
    name: str,
    form: str | None,
    download: Path | None,
    endpoint: str | None,
) -> None:
    """Print a TranscriptionJob's transcripts, or download them."""
    cluster = flags.connect(context)
    job = cluster.job(name)
    if job.status.phase is not Phase.SUCCEEDED:
        raise NotFoundError(no_result_yet(job))
    wanted = OutputFormat(form) if form else None
    if download:
        _download(cluster, job, wanted, endpoint, download)
    else:
        show(cluster, job, wanted, endpoint)
    for each in shortfall(job):
        say(each)


def show(
    cluster: Cluster, job: TranscriptionJob, form: OutputFormat | None, endpoint: str | None
) -> None:
    """Print the transcripts of a job; those of several recordings each below a heading."""
    store = Store.open(cluster, job.spec.object_store, endpoint, os.environ)
    delivered, found = _found(store, job, form, every=False)
    for transcript in found:
        if len(found) > 1:
            click.echo(f"==> {line(transcript.recording)} <==")
        content = store.read(transcript.uri)
        write(content)
        if is_silent(content):
            say(f"no speech was found in {line(transcript.recording)}")
    _remark(delivered)


def _download(
    cluster: Cluster,
    job: TranscriptionJob,
    form: OutputFormat | None,
    endpoint: str | None,
    folder: Path,
) -> None:
    store = Store.open(cluster, job.spec.object_store, endpoint, os.environ)
    delivered, found = _found(store, job, form, every=True)
    for transcript in found:
        path = folder / transcript.path
        store.download(transcript.uri, path)
        click.echo(line(str(path)))
    _remark(delivered)


def _remark(delivered: Delivered) -> None:
    for each in remarks(delivered):
        say(line(each))


def _found(
    store: Store, job: TranscriptionJob, form: OutputFormat | None, *, every: bool
) -> tuple[Delivered, list[Transcript]]:
    uri: ObjectUri = manifest_uri(job.spec.output.uri)
    try:
        delivered = Delivered.model_validate_json(store.read(uri))
        found = chosen(delivered, job.spec.output.uri, form, every=every)
    except ValidationError as error:
        raise NotFoundError(f"{uri} is not what a TranscriptionJob delivers") from error
    except ValueError as error:
        raise NotFoundError(str(error)) from error
    if delivered.uid != job.metadata.uid:
        say(f"warning: another TranscriptionJob has delivered to {job.spec.output.uri} since")
    return delivered, found
