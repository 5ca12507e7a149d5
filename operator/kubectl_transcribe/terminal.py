"""What a terminal is shown: nothing that it would obey."""

import re
import sys
from typing import TextIO

import click

# Control characters but for line ends and tabs, and those that turn the direction of writing.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile(r"[\r\n\t\x0b\x0c\u2028\u2029]+")


def plain(text: str) -> str:
    """Text from a cluster, a store or a file name, without what a terminal would obey."""
    return _OBEYED.sub("\ufffd", text)


def line(text: str) -> str:
    """The same on one line."""
    return plain(_LINE_ENDS.sub(" ", text))


def say(text: str) -> None:
    """A sentence for the user, beside the output: on stderr."""
    click.echo(plain(text), err=True)


def write(content: bytes, stream: TextIO | None = None) -> None:
    """Somebody else's text: every byte of it into a file or a pipe, plain on a terminal."""
    stream = stream or sys.stdout
    if stream.isatty():
        stream.write(plain(content.decode(errors="replace")))
    else:
        stream.buffer.write(content)
    stream.flush()
