"""suspend: stop a job's workers, and keep what is done."""

import click

from kubectl_transcribe import flags, printing, steering


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def suspend(context: click.Context, name: str, form: str | None) -> None:
    """Stop a TranscriptionJob's workers; what is done is kept."""
    changed = steering.suspend(flags.connect(context), name, True)
    printing.show_change(changed, form, "suspended")
