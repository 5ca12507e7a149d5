"""Every command of the plugin that the documentation shows can be said so."""

import re
import shlex
from pathlib import Path

import click
import pytest

from kubectl_transcribe.__main__ import main

ROOT = Path(__file__).parents[3]
PAGES = ("README.md", "docs/plugin.md")
SHOWN = re.compile(r"^(?: {4}|\$ )(kubectl[ -]transcribe .*)$", re.MULTILINE)
COMMANDS = [
    each
    for page in PAGES
    for line in SHOWN.findall((ROOT / page).read_text())
    for each in line.split("&&")
    if "--help" not in each
]


def parsed(command: str) -> click.Context:
    """The verb's context; a word that it does not know is an error."""
    words = shlex.split(re.split(r"[|>]", command)[0], comments=True)
    name, *arguments = words[2:] if words[0] == "kubectl" else words[1:]
    return main.commands[name].make_context(name, arguments, parent=click.Context(main))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documentation_is_understood(command: str):
    assert parsed(command)


def test_every_verb_is_documented():
    shown = {shlex.split(command)[2] for command in COMMANDS if command.startswith("kubectl ")}
    assert set(main.commands) - shown <= {"completion", "list"}
