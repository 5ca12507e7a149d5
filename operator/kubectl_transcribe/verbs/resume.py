"""resume: let a suspended job go on."""

import click

from kubectl_transcribe import flags, printing
from kubectl_transcribe.errors import RefusedError
from kubectl_transcribe.progress import is_over, phase_of


@click.command()
@flags.job_name
@flags.output(*printing.OBJECTS)
@flags.connection
@click.pass_context
def resume(context: click.Context, name: str, form: str | None) -> None:
    """Let a suspended TranscriptionJob go on."""
    cluster = flags.connect(context)
    job = cluster.job(name)
    if is_over(job):
        raise RefusedError(
            f"TranscriptionJob {name} is {phase_of(job)}: it is over, and cannot be resumed"
        )
    changed = cluster.merge(name, {"spec": {"suspend": False}})
    printing.show_change(changed, form, "resumed")
