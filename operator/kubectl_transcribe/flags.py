"""Flags that several verbs share, and kubectl's own."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from kubectl_transcribe import printing
from kubectl_transcribe.cluster import Cluster
from kubectl_transcribe.errors import PluginError

_Command = TypeVar("_Command", bound=Callable[..., Any])


def connection(command: _Command) -> _Command:
    """-n, --context and --kubeconfig, before the verb or after it."""
    for decorate in (
        _global("--kubeconfig", help="The kubeconfig file. Default: as kubectl."),
        _global("--context", help="The kubeconfig's context. Default: the current one."),
        _global("-n", "--namespace", help="Default: the context's namespace."),
    ):
        command = decorate(command)
    return command


def connect(context: click.Context) -> Cluster:
    """The cluster that these flags name."""
    chosen = context.find_root().ensure_object(dict)
    return Cluster.connect(chosen.get("kubeconfig"), chosen.get("context"), chosen.get("namespace"))


def job_name(command: _Command) -> _Command:
    """The TranscriptionJob's name, completed from those there are."""
    return click.argument("name", shell_complete=_names)(command)


def job_names(command: _Command) -> _Command:
    """Any number of them."""
    return click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=_names)(command)


def output(*forms: str) -> Callable[[_Command], _Command]:
    """-o, with what it takes here."""
    return click.option(
        "-o", "--output", "form", type=click.Choice(forms), help="How to print what was done."
    )


def table_output(command: _Command) -> _Command:
    """-o of a verb that prints a table without it."""
    return click.option(
        "-o", "--output", "form", type=click.Choice(printing.TABLES), help="Default: a table."
    )(command)


def endpoint(command: _Command) -> _Command:
    """Where this machine reaches the object store."""
    return click.option(
        "--endpoint",
        envvar="AWS_ENDPOINT_URL",
        metavar="URL",
        help="The object store's address for this machine, where it differs from the Secret's. "
        "Default: AWS_ENDPOINT_URL, then the Secret's.",
    )(command)


_DURATION = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A duration as kubectl takes it: 90s, 15m, 1h30m; a bare number is seconds."""
    if value is None:
        return None
    found = _DURATION.fullmatch(value)
    if not found:
        raise click.BadParameter("say it as 90s, 15m or 1h30m", context, parameter)
    hours, minutes, rest = (int(amount or 0) for amount in found.groups())
    return float(hours * 3600 + minutes * 60 + rest)


timeout = click.option(
    "--timeout",
    callback=seconds,
    metavar="DURATION",
    help="Follow each TranscriptionJob no longer than this, such as 30m; exit code 124. Default: "
    "for ever.",
)


def _global(*names: str, help: str) -> Callable[[_Command], _Command]:
    return click.option(*names, callback=_remember, expose_value=False, help=help)


def _remember(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().ensure_object(dict)[parameter.name] = value


def _names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    del parameter
    try:
        there = connect(context).names()
    except PluginError:
        return []
    return [CompletionItem(name) for name in there if name.startswith(incomplete)]
