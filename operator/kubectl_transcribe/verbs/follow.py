"""follow: live progress, until the job is over."""

import click

from kubectl_transcribe import flags, following


@click.command()
@flags.job_name
@flags.timeout
@flags.connection
@click.pass_context
def follow(context: click.Context, name: str, timeout: float | None) -> None:
    """Show a TranscriptionJob's progress until it is over.

    Exit code 0 when it succeeded, 1 when it failed, 124 when it is not over in time.
    """
    following.follow(flags.connect(context), name, timeout)
