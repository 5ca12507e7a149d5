"""Text into lines of a limited width, as people see it.

Widths are columns: East Asian wide characters count as 2, combining marks as 0, everything else as
1. Lines break at spaces; where a script has none (Chinese, Japanese, Thai, Lao, Khmer, Burmese),
between any two characters, but not before closing and not after opening punctuation. A word that
is wider than a line is cut, and a grapheme cluster never is. The classes of characters are those
of UAX #14 (https://www.unicode.org/reports/tr14/) and UAX #11.
"""

from collections.abc import Callable
from functools import lru_cache

import regex  # type: ignore[import-untyped]

Range = tuple[int, int]
"""Offsets in a text: first, and one after the last."""

_CLUSTER = regex.compile(r"\X")
_WIDE = regex.compile(r"[\p{ea=W}\p{ea=F}\p{Regional_Indicator}\ufe0f]")
_MARK = regex.compile(r"[\p{M}\p{Cf}]")
_SPACE = regex.compile(r"[\s--[\xa0\u2007\u202f]]+", regex.V1)
"""Where a line may break and the break takes the character's place: not at no-break spaces."""
_WITHOUT_SPACES = regex.compile(
    r"[[\p{ea=W}\p{ea=F}\p{ea=H}\p{lb=SA}]--\p{Script=Hangul}]", regex.V1
)
_BREAKS_AFTER = regex.compile(r"[\u200b\u0f0b\u1361]")
"""Zero-width space; the Tibetan and Ethiopic marks between words."""
_NO_START = regex.compile(
    r"[\p{lb=CL}\p{lb=CP}\p{lb=EX}\p{lb=IS}\p{lb=NS}\p{lb=CJ}\p{lb=IN}\p{lb=PO}\p{lb=SY}\p{lb=QU}"
    r"\p{lb=BA}\u0e30\u0e32\u0e45\u0e46\u0eb0\u0eb2\u0ec6]"
)
"""With the vowels and the repetition mark that follow their consonant in Thai and Lao."""
_NO_END = regex.compile(r"[\p{lb=OP}\p{lb=PR}\p{lb=QU}\u0e40-\u0e44\u0ec0-\u0ec4]")
"""With the vowels that stand before their consonant in Thai and Lao."""

_REMEMBERED = 1 << 14
"""Clusters, and pairs of them, that are looked up once: a text has few different ones."""


def columns(text: str) -> int:
    """The width of a text."""
    if text.isascii():
        return len(text)
    return sum(_cluster_columns(cluster) for cluster in _CLUSTER.findall(text))


def wrap(text: str, room: Callable[[int], int]) -> list[Range]:
    """The lines of a text: as full as they can be, without the spaces where they break.

    Args:
        text: on one line.
        room: the columns of the line with this number, from 0; at least 2.
    """
    clusters = [found.span() for found in _CLUSTER.finditer(text)]
    lines: list[Range] = []
    first = _after_spaces(text, clusters, 0)
    while first < len(clusters):
        end = _line_end(text, clusters, first, room(len(lines)))
        start = clusters[first][0]
        lines.append((start, start + len(text[start : clusters[end - 1][1]].rstrip())))
        first = _after_spaces(text, clusters, end)
    return lines


@lru_cache(_REMEMBERED)
def _cluster_columns(cluster: str) -> int:
    if _WIDE.search(cluster):
        return 2
    return len(_MARK.sub("", cluster))


def _after_spaces(text: str, clusters: list[Range], first: int) -> int:
    while first < len(clusters) and _SPACE.fullmatch(text, *clusters[first]):
        first += 1
    return first


def _line_end(text: str, clusters: list[Range], first: int, room: int) -> int:
    """The number of the cluster after a line's last one."""
    used, best = 0, first
    for number in range(first, len(clusters)):
        start, end = clusters[number]
        if number > first and _may_break(text[clusters[number - 1][0] : start], text[start:end]):
            best = number
        used += _cluster_columns(text[start:end])
        if used > room and not _SPACE.fullmatch(text, start, end):
            return best if best > first else _cut(text, clusters, first, number)
    return len(clusters)


def _cut(text: str, clusters: list[Range], first: int, number: int) -> int:
    """Where a word ends that is wider than a line: better not before closing punctuation."""
    kept = number
    while kept - 1 > first and _NO_START.match(text, clusters[kept][0]):
        kept -= 1
    return kept if kept - 1 > first else max(number, first + 1)


@lru_cache(_REMEMBERED)
def _may_break(before: str, after: str) -> bool:
    """Whether a line may break between two clusters."""
    if _SPACE.fullmatch(after) or _SPACE.fullmatch(before) or _BREAKS_AFTER.match(before):
        return True
    if _NO_START.match(after) or _NO_END.match(before):
        return False
    return bool(_WITHOUT_SPACES.match(before) or _WITHOUT_SPACES.match(after))
