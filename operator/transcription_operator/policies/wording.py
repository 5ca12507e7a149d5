"""Sentences for users: numbers and lengths in them, and what two of them have in common."""

import re

_VARYING = re.compile(r"""\bpods?\ "?[a-z0-9][a-z0-9.-]*"?   # a pod's name
                        | \b[0-9a-f]{12,}\b              # a container's or a digest's
                        | \d+""", re.VERBOSE)  # fmt: skip
_CLAUSE_END = re.compile(r"[,.:;]\s+|[.;]$")
_ELLIPSIS = "…"


def plural(number: int, noun: str) -> str:
    """1 file, 2 files."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: int) -> str:
    """31 min, 2 h 5 min, 45 s."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"


def skeleton(message: str) -> str:
    """A message without numbers and names of pods, its clauses in alphabetical order.

    The scheduler sorts its clauses by their numbers: "3 Insufficient cpu, 12 Insufficient memory".
    """
    clauses = _CLAUSE_END.split(_VARYING.sub("", message))
    return "\n".join(sorted(clause.strip() for clause in clauses))


def shortened(text: str, most: int) -> str:
    """The text, cut to so many bytes of UTF-8."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: most - len(_ELLIPSIS.encode())].decode(errors="ignore") + _ELLIPSIS
