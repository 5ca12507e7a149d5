"""suspend: stop a job's workers, and keep what is done."""

import click

from kubectl_transcribe import flags, printing
from kubectl_transcribe.errors import RefusedError
from kubectl_transcribe.progress import is_over, phase_of


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def suspend(context: click.Context, name: str, form: str | None) -> None:
    """Stop a TranscriptionJob's workers; what is done is kept."""
    cluster = flags.connect(context)
    job = cluster.job(name)
    if is_over(job):
        raise RefusedError(
            f"TranscriptionJob {name} is {phase_of(job)}: it is over, and cannot be suspended"
        )
    changed = cluster.merge(name, {"spec": {"suspend": True}})
    printing.show_change(changed, form, "suspended")
