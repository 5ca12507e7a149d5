"""get, list: TranscriptionJobs as kubectl shows them."""

from collections.abc import Sequence

import click

from kubectl_transcribe import flags, printing, table
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.terminal import say


@click.command()
@flags.job_names
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Of all namespaces.")
@flags.table_output
@flags.connection
@click.pass_context
def get(context: click.Context, names: Sequence[str], everywhere: bool, form: str | None) -> None:
    """Show TranscriptionJobs: the namespace's, or those named."""
    if names and everywhere:
        raise click.UsageError("a NAME is of one namespace: leave out --all-namespaces")
    cluster = flags.connect(context)
    if form in printing.OBJECTS:
        objects = cluster.objects(names, everywhere=everywhere)
        click.echo(printing.text(objects, form, listed=not names), nl=False)
        return
    tables = cluster.table(names, everywhere=everywhere)
    if any(each["rows"] for each in tables):
        wide = form == "wide"
        click.echo(table.render(tables, wide=wide, with_namespace=everywhere), nl=False)
    else:
        say(_nothing(cluster, everywhere))


def _nothing(cluster: Cluster, everywhere: bool) -> str:
    where = "" if everywhere else f" in {cluster.namespace} namespace"
    return f"No resources found{where}."
