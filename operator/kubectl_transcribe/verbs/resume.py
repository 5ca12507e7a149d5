"""resume: let a suspended job go on."""

import click

from kubectl_transcribe import flags, printing


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def resume(context: click.Context, name: str, form: str | None) -> None:
    """Let a suspended TranscriptionJob go on."""
    changed = flags.connect(context).merge(name, {"spec": {"suspend": False}})
    printing.show_change(changed, form, "resumed")
