"""retry: let a failed job go on from where it ended."""

from datetime import UTC, datetime

import click

from kubectl_transcribe import flags, printing
from kubectl_transcribe.errors import RefusedError
from kubectl_transcribe.progress import phase_of
from transcription_api import RETRY_ANNOTATION
from transcription_api.status import Phase


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def retry(context: click.Context, name: str, form: str | None) -> None:
    """Try a failed TranscriptionJob again. What is done is kept."""
    cluster = flags.connect(context)
    job = cluster.job(name)
    if job.status.phase is not Phase.FAILED:
        raise RefusedError(
            f"TranscriptionJob {name} is {phase_of(job)}: only one that has failed can be tried "
            "again"
        )
    # Any value that it did not have before.
    value = datetime.now(UTC).isoformat()
    changed = cluster.merge(name, {"metadata": {"annotations": {RETRY_ANNOTATION: value}}})
    printing.show_change(changed, form, "is tried again")
