"""What was measured: one figure a row, kept as JSON and shown as a page."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

_HEAD = """# Benchmarks

Made by `make bench`, never edited by hand; the same figures are in
[benchmarks.json](benchmarks.json). How each is measured, and what a run costs:
[tests/benchmarks/README.md](../tests/benchmarks/README.md).

*Ratio* is our value divided by the peer's in the same run, on the same machine, with the same
weights. For speeds more is better; for errors, seconds and memory less is.
"""


@dataclass(frozen=True)
class Figure:
    """One measured value.

    ``name``: the benchmark's name, a dot, and what was measured. ``ratio``: our value through the
    peer's. ``peer``: who that is and what it reached. ``note``: sizes, and what to know beside it.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    peer: str = ""
    note: str = ""

    @property
    def benchmark(self) -> str:
        """The benchmark that it belongs to."""
        return self.name.partition(".")[0]


def against(
    name: str, ours: float, theirs: float, unit: str, *, peer: str, note: str = ""
) -> Figure:
    """A figure beside a peer's; no ratio when the peer's is zero."""
    ratio = ours / theirs if theirs else None
    return Figure(name, ours, unit, ratio, f"{peer}: {shown(theirs)}", note)


def merged(old: Sequence[Figure], new: Sequence[Figure]) -> list[Figure]:
    """The old figures with those of the benchmarks that were run replaced, ordered by benchmark."""
    again = {figure.benchmark for figure in new}
    kept = [figure for figure in old if figure.benchmark not in again]
    return sorted([*kept, *new], key=lambda figure: figure.benchmark)


def markdown(figures: Iterable[Figure]) -> str:
    """The page."""
    parts = [_HEAD]
    for benchmark, group in groupby(figures, key=lambda figure: figure.benchmark):
        parts.append(f"\n## {benchmark}\n\n| | value | ratio | peer | note |\n|-|-|-|-|-|\n")
        parts += [row(figure) + "\n" for figure in group]
    return "".join(parts)


def row(figure: Figure) -> str:
    """A line of a table."""
    ratio = "" if figure.ratio is None else shown(figure.ratio)
    cells = [
        figure.name.partition(".")[2],
        f"{shown(figure.value)} {figure.unit}".strip(),
        ratio,
        figure.peer,
        figure.note,
    ]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def shown(value: float) -> str:
    """Three digits that mean something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def load(folder: Path) -> list[Figure]:
    """The figures of earlier runs."""
    path = folder / "benchmarks.json"
    return [Figure(**entry) for entry in json.loads(path.read_text())] if path.exists() else []


def save(folder: Path, figures: Sequence[Figure]) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
        for row in map(asdict, figures)
    ]
    (folder / "benchmarks.json").write_text(json.dumps(entries, indent=1) + "\n")
    (folder / "benchmarks.md").write_text(markdown(figures))
