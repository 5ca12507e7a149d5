"""A picture of the dashboard, as SVG: Grafana's panels, drawn from Prometheus' answers. Pure.

Not by Grafana itself, which is not to be had where this is made: the places, titles, legends and
units are those of the dashboard's JSON, the strokes are ours.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import cycle
from typing import Any

Points = Sequence[tuple[float, float]]
"""(seconds since 1970, value)."""

Span = tuple[float, float]
Json = dict[str, Any]

_COLUMN, _LINE, _GAP = 50, 27, 8
_COLOURS = ("#3f7fbf", "#e08a2c", "#4f9f5f", "#c94f4f", "#8a68b8", "#8c6d5a", "#d07ab0", "#7a7a7a")
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4
_UNITS: dict[str, Sequence[tuple[str, float]]] = {
    "short": (("", 1),),
    "percentunit": ((" %", 0.01),),
    "s": ((" ms", 1e-3), (" s", 1), (" min", 60), (" h", 3600)),
    "h": ((" h", 1),),
    "ops": ((" /s", 1),),
    "reqps": ((" /s", 1),),
    "bytes": ((" B", 1), (" KiB", 2**10), (" MiB", 2**20), (" GiB", 2**30)),
}


def draw(panels: Sequence[Json], answers: Mapping[str, Mapping[str, Points]]) -> str:
    """The picture.

    Args:
        panels: the dashboard's.
        answers: for each panel's title, legend -> points; never none.
    """
    span = _span_of(points for series in answers.values() for points in series.values())
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * _COLUMN + _GAP, bottom * _LINE + _GAP
    drawn = "\n".join(line for panel in panels for line in _panel(panel, answers, span))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="#222">\n'
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>\n{drawn}\n</svg>\n'
    )


def unit_of(value: float, unit: str) -> tuple[str, float]:
    """How one of Grafana's units is written for numbers like this one, and how much it is."""
    units = _UNITS.get(unit, ((unit.removeprefix("suffix:"), 1),))
    return next((each for each in reversed(units) if abs(value) >= each[1]), units[0])


def value_text(value: float, unit: str) -> str:
    """A value as Grafana would write it."""
    written, size = unit_of(value, unit)
    return f"{value / size:.3g}{written}"


def top_and_step(most: float) -> tuple[float, float]:
    """Where an axis from 0 ends, and how far apart its lines are."""
    if most <= 0:
        return 1.0, 1.0
    size = 10 ** math.floor(math.log10(most / _TICKS))
    step = next(s for s in _STEPS if s * size * _TICKS >= most) * size
    return step * math.ceil(most / step), step


def _panel(panel: Json, answers: Mapping[str, Mapping[str, Points]], span: Span) -> Iterator[str]:
    at = panel["gridPos"]
    x, y = at["x"] * _COLUMN + _GAP, at["y"] * _LINE + _GAP
    title = escape(panel["title"])
    if panel["type"] == "row":
        yield f'<text x="{x}" y="{y + 14}" font-size="14" font-weight="bold">{title}</text>'
        return
    width, height = at["w"] * _COLUMN - _GAP, at["h"] * _LINE - _GAP
    yield f'<g transform="translate({x} {y})">'
    yield f'<rect width="{width}" height="{height}" rx="3" fill="#fff" stroke="#ddd"/>'
    yield f'<text x="8" y="18" font-weight="bold">{title}</text>'
    series = answers[panel["title"]]
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] == "stat":
        (points,) = series.values()
        said = value_text(points[-1][1], defaults["unit"])
        yield f'<text x="{width / 2}" y="70" font-size="34" text-anchor="middle">{said}</text>'
    else:
        custom = defaults["custom"]
        is_stacked = "stacking" in custom
        shown = _stacked(series) if is_stacked else series
        yield from _Chart(width, height, shown, defaults["unit"], span).lines(is_stacked)
    yield "</g>"


def _span_of(curves: Iterable[Points]) -> Span:
    times = [at for points in curves for at, _ in points]
    return min(times), max(times)


def _stacked(series: Mapping[str, Points]) -> dict[str, Points]:
    """Each on top of those before it."""
    times = sorted({at for points in series.values() for at, _ in points})
    below = dict.fromkeys(times, 0.0)
    stacked: dict[str, Points] = {}
    for legend, points in series.items():
        for at, value in points:
            below[at] += value
        stacked[legend] = list(below.items())
    return stacked


class _Chart:
    """Of one panel: axes, curves and legend."""

    def __init__(
        self, width: float, height: float, series: Mapping[str, Points], unit: str, span: Span
    ) -> None:
        self._series = series
        self._left, self._right, self._head, self._foot = 62, width - 24, 30, height - 44
        self._begin, self._end = span
        most = max(value for points in series.values() for _, value in points)
        self._unit, self._size = unit_of(most, unit)
        self._top, self._step = top_and_step(most / self._size)

    def lines(self, is_filled: bool) -> Iterator[str]:
        """The SVG. Areas are drawn from the topmost on, so that those below cover it."""
        yield from self._axes()
        coloured = list(zip(self._series.items(), cycle(_COLOURS)))
        for (_, points), colour in coloured[::-1] if is_filled else coloured:
            yield self._curve(points, colour, is_filled)
        x, y = float(self._left), self._foot + 33
        for (legend, _), colour in coloured:
            yield f'<rect x="{x:.0f}" y="{y - 6}" width="10" height="4" fill="{colour}"/>'
            yield f'<text x="{x + 14:.0f}" y="{y}" font-size="11">{escape(legend)}</text>'
            x += 26 + 6.3 * len(legend)

    def _axes(self) -> Iterator[str]:
        for number in range(round(self._top / self._step) + 1):
            y = self._y(number * self._step * self._size)
            label = f"{number * self._step:.3g}{self._unit}"
            yield f'<path d="M{self._left} {y:.1f}H{self._right}" stroke="#e4e4e4"/>'
            yield (
                f'<text x="{self._left - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11" '
                f'fill="#666">{label}</text>'
            )
        minutes = int((self._end - self._begin) // 60)
        for minute in range(0, minutes + 1, max(1, minutes // _TICKS)):
            x = self._x(self._begin + 60 * minute)
            yield (
                f'<text x="{x:.1f}" y="{self._foot + 16}" text-anchor="middle" font-size="11" '
                f'fill="#666">{minute} min</text>'
            )

    def _curve(self, points: Points, colour: str, is_filled: bool) -> str:
        path = "L".join(f"{self._x(at):.1f} {self._y(value):.1f}" for at, value in points)
        if not is_filled:
            return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        begin, end = (f"{self._x(points[n][0]):.1f} {self._foot}" for n in (0, -1))
        return f'<path d="M{begin}L{path}L{end}Z" fill="{colour}"/>'

    def _x(self, at: float) -> float:
        span = max(1.0, self._end - self._begin)
        return self._left + (self._right - self._left) * (at - self._begin) / span

    def _y(self, value: float) -> float:
        return self._foot - (self._foot - self._head) * value / (self._top * self._size)
