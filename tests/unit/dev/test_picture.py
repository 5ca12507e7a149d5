from typing import Any
from xml.etree import ElementTree

import pytest

from dev.picture import draw, top_and_step, value_text


def panel(kind: str = "timeseries", unit: str = "short", **custom: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "title": "Waits & runs",
        "gridPos": {"x": 0, "y": 0, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "custom": custom}},
    }


def drawn(shown: dict[str, Any], **series: list[tuple[float, float]]) -> ElementTree.Element:
    return ElementTree.fromstring(draw([shown], {shown["title"]: series}))


def curves(picture: ElementTree.Element) -> list[str]:
    paths = picture.iter("{http://www.w3.org/2000/svg}path")
    return [path.attrib["d"] for path in paths if "L" in path.attrib["d"]]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "s", "0 ms"),
        (0.0251, "s", "25.1 ms"),
        (90, "s", "1.5 min"),
        (11880, "s", "3.3 h"),
        (0.0833, "percentunit", "8.33 %"),
        (80 * 2**20, "bytes", "80 MiB"),
        (38.2, "suffix:x", "38.2x"),
        (4, "reqps", "4 /s"),
        (12, "short", "12"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: str, text: str):
    assert value_text(value, unit) == text


@pytest.mark.parametrize("most", [0, 0.0003, 1, 3.9, 4, 4.1, 99, 101, 2.5e9])
def test_an_axis_holds_all_values_in_few_steps(most: float):
    top, step = top_and_step(most)
    assert top >= most
    assert 1 <= round(top / step) <= 4


def test_a_panel_shows_its_title_its_legends_and_a_curve_each():
    picture = drawn(panel(), p50=[(0, 1), (60, 2)], p95=[(0, 3), (60, 4)])
    assert {"Waits & runs", "p50", "p95", "1 min"} <= set(picture.itertext())
    assert len(curves(picture)) == 2


def test_stacked_curves_lie_on_each_other():
    picture = drawn(panel(stacking={"mode": "normal"}), a=[(0, 4), (60, 4)], b=[(60, 4)])
    alone = drawn(panel(), a=[(0, 4), (60, 4)], both=[(0, 4), (60, 8)])
    above = curves(picture)[0]
    assert curves(alone)[1].removeprefix("M") in above


def test_a_number_is_the_latest_one():
    picture = drawn(panel("stat", "s"), all=[(0, 5), (60, 90)])
    assert "1.5 min" in set(picture.itertext())
