"""The Grafana dashboard: panels.py as the JSON that Grafana wants, for the chart to install."""

import json
from typing import Any

from dev.errors import DevError
from dev.operator_release import CHART
from dev.panels import ROWS, Panel

FILE = CHART / "files" / "dashboard.json"

Json = dict[str, Any]

SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS = 24


def write() -> None:
    """Write the chart's file anew."""
    FILE.write_text(text())


def check() -> None:
    """Raise a DevError when the chart's file is not what panels.py says."""
    if FILE.read_text() != text():
        raise DevError(f"{FILE} is not what dev/panels.py says: run `make dashboard`.")


def text() -> str:
    """The dashboard as Grafana's JSON, for Grafana 10 and later."""
    variable = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }
    dashboard = {
        "uid": "transcription-operator",
        "title": "Transcription",
        "tags": ["transcription-operator"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [variable]},
        "panels": _panels(),
    }
    return json.dumps(dashboard, indent=1) + "\n"


def _panels() -> list[Json]:
    made: list[Json] = []
    y = 0
    for title, panels in ROWS.items():
        at = {"x": 0, "y": y, "w": _COLUMNS, "h": 1}
        made.append({"type": "row", "title": title, "collapsed": False, "gridPos": at})
        x, y = 0, y + 1
        for panel in panels:
            height = 4 if panel.kind == "stat" else 8
            if x + panel.width > _COLUMNS:
                x, y = 0, y + made[-1]["gridPos"]["h"]
            at = {"x": x, "y": y, "w": panel.width, "h": height}
            made.append({**_drawn(panel), "gridPos": at})
            x += panel.width
        y += made[-1]["gridPos"]["h"]
    return [{"id": number, **panel} for number, panel in enumerate(made, start=1)]


def _drawn(panel: Panel) -> Json:
    custom: Json = {"lineWidth": 2, "fillOpacity": 10, "showPoints": "never"}
    if panel.kind in ("stack", "bars"):
        custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 60}
    if panel.kind == "bars":
        custom |= {"drawStyle": "bars"}
    is_stat = panel.kind == "stat"
    defaults: Json = {"unit": panel.unit, "min": 0, "custom": {} if is_stat else custom}
    return {
        "type": "stat" if is_stat else "timeseries",
        "title": panel.title,
        "description": panel.what,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}}
        if is_stat
        else {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query}
            | {"legendFormat": legend or "__auto"}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
