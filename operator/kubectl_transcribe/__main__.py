"""`kubectl transcribe`: the verbs put together, and how a command ends."""

import logging
import os
import sys
from copy import copy
from io import TextIOWrapper

import click

from kubectl_transcribe import flags
from kubectl_transcribe.errors import ExitCode, PluginError
from kubectl_transcribe.terminal import plain
from kubectl_transcribe.verbs.cancel import cancel
from kubectl_transcribe.verbs.completion import completion, suggestions
from kubectl_transcribe.verbs.doctor import doctor
from kubectl_transcribe.verbs.follow import follow
from kubectl_transcribe.verbs.get import get
from kubectl_transcribe.verbs.logs import logs
from kubectl_transcribe.verbs.result import result
from kubectl_transcribe.verbs.resume import resume
from kubectl_transcribe.verbs.retry import retry
from kubectl_transcribe.verbs.submit import submit
from kubectl_transcribe.verbs.suspend import suspend
from transcription_contract import __version__


class _Verbs(click.Group):
    """The reader of a pipe may have seen enough, which click alone takes for a failure."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb."""
        try:
            found: object = super().invoke(ctx)
        except BrokenPipeError:
            # Python's own flush at the end must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.DONE
        return found


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@flags.connection
def main() -> None:
    """Transcribe recordings on the cluster of your kubeconfig.

    Exit codes: 0 done; 1 the job failed, or doctor found something; 2 the command line, or what
    it asks for, is wrong; 3 the cluster; 4 no such job, transcript or Secret; 5 the object store;
    124 --timeout is over; 130 interrupted.
    """


for verb in (submit, get, follow, result, logs, cancel, retry, suspend, resume, doctor, completion):
    main.add_command(verb)
_list = copy(get)
_list.short_help = "The same as get."
main.add_command(_list, "list")


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Whatever is wrong is one sentence on stderr."""
    try:
        ended = main.main(arguments, "kubectl transcribe", standalone_mode=False)
    except PluginError as error:
        error.show()
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.UsageError as error:
        usage = error.ctx.command_path if error.ctx else "kubectl transcribe"
        said = plain(error.format_message()).removesuffix(".")
        click.echo(f"error: {said}; see `{usage} --help`", err=True)
        return ExitCode.USAGE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"error: {plain(said)}", err=True)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    return int(ended or ExitCode.DONE)


def entry() -> None:
    """The console script's."""
    # urllib3 tells of each try; here only the last one counts.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    # A terminal that lacks a letter of a name is no reason to fail.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def complete() -> None:
    """The console script's that kubectl calls to complete `kubectl transcribe ...`."""
    *words, incomplete = sys.argv[1:] or [""]
    click.echo(suggestions(main, words, incomplete), nl=False)


if __name__ == "__main__":
    entry()
