"""completion: what makes a shell complete verbs, flags and names."""

import click
from click.shell_completion import ShellComplete, get_completion_class

PROGRAM = "kubectl-transcribe"
VARIABLE = "_KUBECTL_TRANSCRIBE_COMPLETE"
_FILES, _NO_FILES = 0, 4
"""cobra's directives: https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md"""


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of kubectl-transcribe for a shell.

    For bash: source <(kubectl-transcribe completion bash). `kubectl transcribe` itself is
    completed by kubectl's own script, which finds the program kubectl_complete-transcribe.
    """
    scripts = get_completion_class(shell)
    if scripts is None:
        raise click.UsageError(f"there is no completion for {shell}")
    root = context.find_root().command
    click.echo(scripts(root, {}, PROGRAM, VARIABLE).source())


def suggestions(root: click.Command, words: list[str], incomplete: str) -> str:
    """cobra's lines: a suggestion, a tab and its help each; last, what else is to be done."""
    found = ShellComplete(root, {}, PROGRAM, VARIABLE).get_completions(words, incomplete)
    values = [f"{item.value}\t{item.help or ''}".rstrip() for item in found if item.type == "plain"]
    directive = _FILES if len(values) < len(found) else _NO_FILES
    return "".join(f"{each}\n" for each in [*values, f":{directive}"])
