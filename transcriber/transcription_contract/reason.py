"""What is known about one word of status.reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


class Fault(StrEnum):
    """Who can fix the cause; a label of metrics, so that alerts can leave out the users' mistakes.

    ``USER``: the author of the TranscriptionJob, its recording or its Secret. ``INSTALLATION``: the
    administrator of the operator, its images, node pools and models. ``CLUSTER``: the
    administrator of nodes, quotas, policies, the network and the object store.
    """

    NONE = "none"
    USER = "user"
    INSTALLATION = "installation"
    CLUSTER = "cluster"


class Section(StrEnum):
    """Where docs/troubleshooting.md lists a reason."""

    PENDING = "pending"
    RUNNING = "running"
    RECORDING = "recording"
    OBJECT_STORE = "object-store"
    MODEL = "model"
    WORKER = "worker"
    NODE = "node"
    JOB = "job"


NORMAL, WARNING = "Normal", "Warning"
"""Types of Events."""


@dataclass(frozen=True)
class Reason:
    """One word of status.reason.

    ``phases``: values of status.phase that it appears with. ``event``: type of the Event that a
    change to it deserves, or None. ``meaning`` and ``advice`` are Markdown for a table's cells;
    links are relative to docs/. ``aliases``: words of Kubernetes that the operator replaces by this
    one.
    """

    word: str
    section: Section
    phases: tuple[str, ...]
    event: str | None
    fault: Fault
    meaning: str
    advice: str
    aliases: tuple[str, ...] = ()


def listed(
    section: Section, phases: str, event: str | None, *rows: tuple[str, Fault, str, str]
) -> Iterator[Reason]:
    """Reasons with the same section, phases and type of Event.

    A row is ``word alias…``, the fault, the meaning and the advice.
    """
    for words, fault, meaning, advice in rows:
        word, *aliases = words.split()
        phase_names = tuple(phases.split())
        yield Reason(word, section, phase_names, event, fault, meaning, advice, tuple(aliases))


def plain_text(markdown: str) -> str:
    """The text for a terminal: a link's target follows in brackets, as a path from the checkout."""
    return _LINK.sub(_spelled, markdown)


def _spelled(link: re.Match[str]) -> str:
    text, target = link.groups()
    where = target if "://" in target else f"docs/{target}"
    return f"{text} ({where})"
