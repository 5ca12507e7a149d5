"""cancel: end a job's workers, and delete it."""

import sys

import click

from kubectl_transcribe import flags, printing
from kubectl_transcribe.cluster import Cluster


@click.command()
@flags.job_name
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@flags.output("name")
@flags.connection
@click.pass_context
def cancel(context: click.Context, name: str, yes: bool, form: str | None) -> None:
    """Delete a TranscriptionJob, which ends its workers. What was delivered stays."""
    cluster = flags.connect(context)
    job = cluster.objects([name])[0]
    if not yes:
        _ask(cluster, name)
    cluster.delete(name)
    click.echo(printing.name_of(job) + ("" if form else " deleted"))


def _ask(cluster: Cluster, name: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at: say --yes")
    question = f"Delete TranscriptionJob {name} in namespace {cluster.namespace}?"
    click.confirm(question, abort=True, err=True)
