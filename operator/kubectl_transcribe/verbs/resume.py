"""resume: let a suspended job go on."""

import click

from kubectl_transcribe import flags, printing, steering


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def resume(context: click.Context, name: str, form: str | None) -> None:
    """Let a suspended TranscriptionJob go on."""
    changed = steering.suspend(flags.connect(context), name, False)
    printing.show_change(changed, form, "resumed")
