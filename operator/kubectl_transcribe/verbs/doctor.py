"""doctor: what is wrong with an installation, and the command that mends it."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from kubectl_transcribe import flags, printing
from kubectl_transcribe.errors import ExitCode
from kubectl_transcribe.examination import Examination
from kubectl_transcribe.findings import Finding, Level
from kubectl_transcribe.manifest import require_bucket
from kubectl_transcribe.terminal import line
from transcription_api.object_store import DEFAULT_SECRET


@click.command()
@click.option("--secret", show_default=DEFAULT_SECRET,
              help="The Secret that opens the object store.")  # fmt: skip
@click.option("--bucket", "buckets", multiple=True,
              help="A bucket to look into, besides those of the latest jobs.")  # fmt: skip
@click.option("-o", "--output", "form", type=click.Choice(("json", "yaml")),
              help="Default: a line for each finding.")  # fmt: skip
@flags.endpoint
@flags.connection
@click.pass_context
def doctor(
    context: click.Context,
    secret: str | None,
    buckets: Sequence[str],
    form: str | None,
    endpoint: str | None,
) -> None:
    """Look for what keeps TranscriptionJobs from being done.

    Those of the namespace; nothing is changed. Exit code 1 when something is wrong; a note is not.
    """
    try:
        for bucket in buckets:
            require_bucket(bucket)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    examination = Examination(flags.connect(context), secret, endpoint, buckets)
    found = []
    for finding in examination.run():
        found.append(finding)
        if not form:
            _show(finding)
    if form:
        click.echo(printing.document([asdict(each) for each in found], form), nl=False)
    if any(each.level is Level.WRONG for each in found):
        context.exit(ExitCode.FAILED)


def _show(finding: Finding) -> None:
    mark = finding.level.upper() if finding.level is Level.WRONG else finding.level
    click.echo(f"{mark:5}  {finding.about}: {line(finding.message)}")
    if finding.mend:
        click.echo(f"       mend it: {line(finding.mend)}")
