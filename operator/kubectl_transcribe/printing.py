"""Objects as `-o` asks for them: json, yaml or name."""

import json
from collections.abc import Sequence
from typing import Any

import click
import yaml

from transcription_api import GROUP, KIND

Json = dict[str, Any]

OBJECTS = ("json", "yaml", "name")
TABLES = ("wide", *OBJECTS)


def name_of(job: Json) -> str:
    """As kubectl names it: transcriptionjob.transcription.dev/standup."""
    return f"{KIND.lower()}.{GROUP}/{job['metadata']['name']}"


def text(objects: Sequence[Json], form: str, *, listed: bool = False) -> str:
    """One object as itself, several, or what was ``listed``, as a List; names one a line.

    All of it is escaped, so a terminal obeys nothing in it.
    """
    if form == "name":
        return "".join(f"{name_of(each)}\n" for each in objects)
    if len(objects) == 1 and not listed:
        return document(objects[0], form)
    metadata = {"resourceVersion": ""}
    found = {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": metadata}
    return document(found, form)


def document(value: object, form: str) -> str:
    """Any JSON value as json or yaml."""
    if form == "json":
        return json.dumps(value, indent=4) + "\n"
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def show_change(job: Json, form: str | None, done: str, *, beside: bool = False) -> None:
    """What a verb did: `transcriptionjob.transcription.dev/standup created`, or as -o asks.

    ``beside`` the output: on stderr, where a transcript will come on stdout.
    """
    shown = text([job], form) if form else f"{name_of(job)} {done}\n"
    click.echo(shown, nl=False, err=beside)
