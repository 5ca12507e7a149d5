"""A terminal's screens one after the other, as an SVG that plays them. Pure.

No script and no font is in it, so that it plays in a page, in an <img> and offline; where it does
not play (a print, a PDF) it shows the last screen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

Frame = tuple[float, str]
"""(seconds, the screen's lines)."""

LONGEST = 2.0
"""Seconds that a screen is shown for at most: nobody likes to watch somebody wait."""

END = 6.0
"""Seconds that the last screen is shown for."""

_WIDTH, _HEIGHT, _MARGIN = 7.8, 17, 12
"""Pixels of a character at 13 px, of a line, and around the screen."""


@dataclass(frozen=True)
class _Line:
    """What stood in a row from one moment to another."""

    row: int
    begin: float
    end: float
    text: str


def draw(frames: Sequence[Frame], columns: int, rows: int) -> str:
    """The picture of a screen of so many characters; of at least one frame."""
    begins, total = _moments(frames)
    screens = [screen.splitlines() for _, screen in frames]
    width, height = columns * _WIDTH + 2 * _MARGIN, rows * _HEIGHT + 2 * _MARGIN
    drawn = "\n".join(
        _element(line, total)
        for row in range(rows)
        for line in _lines_of(row, screens, begins, total)
        if line.text.strip()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#d8dee6">\n'
        f'<rect width="100%" height="100%" rx="6" fill="#1d232b"/>\n{drawn}\n</svg>\n'
    )


def _moments(frames: Sequence[Frame]) -> tuple[list[float], float]:
    """When each frame begins in the picture, and when all is over, in seconds."""
    begins = [0.0]
    for (before, _), (after, _) in pairwise(frames):
        begins.append(begins[-1] + min(after - before, LONGEST))
    return begins, begins[-1] + END


def _lines_of(
    row: int, screens: Sequence[Sequence[str]], begins: Sequence[float], total: float
) -> Iterator[_Line]:
    """What stood in a row, one line for as long as it did not change."""
    begin, text = 0.0, ""
    for at, screen in zip(begins, screens, strict=True):
        now = screen[row] if row < len(screen) else ""
        if now != text:
            if at > begin:
                yield _Line(row, begin, at, text)
            begin, text = at, now
    yield _Line(row, begin, total, text)


def _element(line: _Line, total: float) -> str:
    y = _MARGIN + line.row * _HEIGHT + 13
    begin, end = line.begin / total, line.end / total
    is_last = line.end == total
    text = escape(line.text.rstrip(), quote=False)
    head = f'<text x="{_MARGIN}" y="{y}" xml:space="preserve"'
    if not begin and is_last:
        return f"{head}>{text}</text>"
    changes = {0.0: "hidden"} | {begin: "visible"} | ({} if is_last else {end: "hidden"})
    # The attribute counts where nothing plays: it shows the end.
    return (
        f'{head} visibility="{"visible" if is_last else "hidden"}">{text}'
        f'<animate attributeName="visibility" calcMode="discrete" dur="{total:.1f}s" '
        f'repeatCount="indefinite" values="{";".join(changes.values())}" '
        f'keyTimes="{";".join(f"{time:.4f}" for time in changes)}"/></text>'
    )
