"""The API server's Table -> kubectl's columns. Pure.

The server fills in the cells (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables),
so they are those of `kubectl get`.
"""

from collections.abc import Sequence
from typing import Any

from kubectl_transcribe.terminal import line

Json = dict[str, Any]
GAP = "   "


def render(tables: Sequence[Json], *, wide: bool, with_namespace: bool) -> str:
    """Lines with a header, ended by a line end; columns of priority over 0 only when wide."""
    definitions: list[Json] = next(
        (t["columnDefinitions"] for t in tables if t.get("columnDefinitions")), []
    )
    shown = [i for i, each in enumerate(definitions) if wide or each.get("priority", 0) == 0]
    lines = [[definitions[i]["name"].upper() for i in shown]]
    owners = ["NAMESPACE"]
    for row in (row for table in tables for row in table["rows"]):
        lines.append([_cell(row["cells"][i]) for i in shown])
        owners.append(line(row["object"]["metadata"].get("namespace", "")))
    if with_namespace:
        lines = [[owner, *cells] for owner, cells in zip(owners, lines, strict=True)]
    return aligned(lines)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; no blanks at the ends of lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in rows
    )


def _cell(value: object) -> str:
    return "" if value is None else line(str(value))
