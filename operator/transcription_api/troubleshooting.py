"""The tables of docs/troubleshooting.md, from the contract's table of reasons. Pure.

The page is written by hand, except for what stands between two comments:
``<!-- reasons: SECTION -->`` and ``<!-- end of reasons -->``.
"""

import re
from collections.abc import Sequence

from transcription_contract.reason import Fault, Reason, Section
from transcription_contract.reasons import TABLE

_END = "<!-- end of reasons -->"
_GENERATED = re.compile(rf"(<!-- reasons: ([a-z-]+) -->\n).*?({_END})", re.DOTALL)
_HEAD = ("| reason | meaning | what to do | fault |", "|-|-|-|-|")


def render(page: str) -> str:
    """The page with its tables as they should be.

    Raises:
        ValueError: the page has no place for a section's table, or for one that does not exist.
    """
    places = [section for _, section, _ in _GENERATED.findall(page)]
    if sorted(places) != sorted(Section):
        raise ValueError(f"the page has tables of {places}, and not of {[*Section]}")
    return _GENERATED.sub(lambda found: found[1] + table_of(Section(found[2])) + found[3], page)


def table_of(section: Section) -> str:
    """One section's reasons as a Markdown table."""
    rows = [_row(reason) for reason in TABLE if reason.section is section]
    return "\n".join(["", *_HEAD, *rows, "", ""])


def _row(reason: Reason) -> str:
    words = f"`{reason.word}`"
    if reason.aliases:
        words += f" (Kubernetes: {_codes(reason.aliases)})"
    fault = "" if reason.fault is Fault.NONE else reason.fault.value
    return f"| {words} | {reason.meaning} | {reason.advice} | {fault} |"


def _codes(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
