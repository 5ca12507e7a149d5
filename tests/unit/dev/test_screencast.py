from xml.etree import ElementTree

import pytest

from dev.screencast import END, LONGEST, Frame, draw

SVG = "{http://www.w3.org/2000/svg}"


def seen(frames: list[Frame]) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(draw(frames, columns=20, rows=3)).iter(f"{SVG}text"))


def spans(element: ElementTree.Element) -> list[tuple[float, str]]:
    """(seconds, state) of each change of a line."""
    animation = element.find(f"{SVG}animate")
    assert animation is not None
    total = float(animation.attrib["dur"].removesuffix("s"))
    times = animation.attrib["keyTimes"].split(";")
    states = animation.attrib["values"].split(";")
    return [(float(time) * total, state) for time, state in zip(times, states, strict=True)]


def test_a_line_that_never_changes_is_drawn_once_and_stays():
    (line,) = seen([(0, "$ ls\n"), (1, "$ ls\n")])
    assert line.text == "$ ls"
    assert line.find(f"{SVG}animate") is None


def test_a_line_is_seen_from_the_frame_that_brings_it_to_the_one_that_changes_it():
    first, middle, last = seen([(0, "one"), (1, "two"), (2, "three")])
    assert [spans(line) for line in (first, middle, last)] == [
        [(0, "visible"), (pytest.approx(1, abs=0.01), "hidden")],
        [
            (0, "hidden"),
            (pytest.approx(1, abs=0.01), "visible"),
            (pytest.approx(2, abs=0.01), "hidden"),
        ],
        [(0, "hidden"), (pytest.approx(2, abs=0.01), "visible")],
    ]


def test_where_nothing_plays_the_last_screen_is_seen():
    lines = seen([(0, "one\nall along"), (1, "two\nall along")])
    shown = [line.text for line in lines if line.attrib.get("visibility") != "hidden"]
    assert shown == ["two", "all along"]


def test_a_wait_is_cut_short():
    _, last = seen([(0, "asked"), (600, "answered")])
    animation = last.find(f"{SVG}animate")
    assert animation is not None
    assert animation.attrib["dur"] == f"{LONGEST + END:.1f}s"


def test_what_a_terminal_shows_is_no_markup():
    (line,) = seen([(0, "kubectl apply -f - <<END & echo '<b>'")])
    assert line.text == "kubectl apply -f - <<END & echo '<b>'"
