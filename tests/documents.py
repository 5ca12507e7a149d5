"""The manifests and commands in the documentation, as its readers would copy them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("**/*.md")],
    key=lambda path: path.as_posix(),
)
UNTESTED = re.compile(r"<!-- untested: .+ -->")
"""Written above a block that no test can judge, with the reason why."""

_PROGRAM = re.compile(r"^(make|kubectl|helm|python|docker|pipx|export|env|\$\(make)\b")
"""How an indented block begins that is to be typed; other ones show what comes of it."""

_NESTED = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(frozen=True)
class Block:
    """A piece of a page that stands apart. ``language``: "" where it is only indented."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def documents(self) -> list[Any]:
        """The YAML documents in it."""
        return [document for document in yaml.safe_load_all(self.text) if document is not None]

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command in it, those within $(…) apart."""
        text = self.text.replace("\\\n", " ")
        if self.text.startswith("$ "):
            lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        else:
            lines = text.splitlines()
        return [words for line in lines for words in _commands(line)]


def blocks(*languages: str) -> list[Block]:
    """Every block of these languages, in all pages; "" for the indented ones."""
    found = [block for page in PAGES for block in blocks_in(page)]
    return [block for block in found if block.language in languages]


def shell_blocks() -> list[Block]:
    """Every block that is to be typed into a shell."""
    typed = [block for block in blocks("indented") if _PROGRAM.match(block.text)]
    shown = [block for block in blocks("", "console") if block.text.startswith("$ ")]
    return [*blocks("sh", "bash"), *typed, *shown]


def commands(program: str) -> list[tuple[str, list[str]]]:
    """(where it stands, words after the program's name) of every command of a program."""
    return [
        (str(block), words[1:])
        for block in shell_blocks()
        for words in block.commands
        if words[0] == program
    ]


def blocks_in(page: Path) -> Iterator[Block]:
    """Every block of a page, but for those that are marked as untested."""
    name, lines = page.relative_to(ROOT).as_posix(), page.read_text().splitlines()
    position = 0
    while position < len(lines):
        begin, line = position, lines[position]
        if line.startswith("```"):
            end = lines.index("```", begin + 1)
            if not UNTESTED.match(lines[begin - 1]):
                text = "\n".join(lines[begin + 1 : end])
                yield Block(name, begin + 1, line.removeprefix("```").strip(), text)
            position = end + 1
        elif line.startswith("    ") and begin and not lines[begin - 1].strip():
            end = begin
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = "\n".join(each[4:] for each in lines[begin:end]).strip()
            yield Block(name, begin + 1, "indented", text)
            position = end
        else:
            position += 1


def _commands(line: str) -> Iterator[list[str]]:
    while nested := _NESTED.search(line):
        yield from _commands(nested[1])
        line = line.replace(nested[0], "SUBSTITUTED")
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    redirected = False
    for word in [*lexer, ";"]:
        if set(word) <= set("<>"):
            redirected = True
        elif set(word) <= set("|&;<>"):
            if words := _without_assignments(words):
                yield words
            words = []
        elif redirected:
            redirected = False
        else:
            words.append(word)


def _without_assignments(words: list[str]) -> list[str]:
    """The command alone: A=1 program … and env A=1 program …"""
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in ("env", "SUBSTITUTED")):
        words = words[1:]
    return words


def options_of(words: list[str]) -> list[str]:
    """The option names among a command's words: --from-literal=a=b is --from-literal."""
    names = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    return names[: names.index("--")] if "--" in names else names
