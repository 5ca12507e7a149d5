from pathlib import Path

import pytest

from tests.benchmarks.report import Figure, against, load, markdown, merged, save, shown


def test_a_benchmark_that_is_run_again_replaces_all_its_figures_and_no_others():
    old = [Figure("speed.a", 1, "x"), Figure("speed.gone", 2, "x"), Figure("memory.a", 3, "MiB")]
    new = [Figure("speed.a", 4, "x")]
    assert merged(old, new) == [Figure("memory.a", 3, "MiB"), Figure("speed.a", 4, "x")]


def test_what_was_saved_is_loaded_again(tmp_path: Path):
    figures = [against("speed.a", 10, 5, "x real time", peer="them", note="1 | 2")]
    save(tmp_path / "docs", figures)
    assert load(tmp_path / "docs") == figures
    assert load(tmp_path / "elsewhere") == []
    assert "| a | 10 x real time | 2 | them: 5 | 1 / 2 |\n" in markdown(figures)


def test_there_is_no_ratio_to_a_peer_that_reached_nothing():
    assert against("stray.a", 3, 0, "words", peer="them").ratio is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.03456, "0.035"), (0.0, "0"), (2.345, "2.35"), (12345.6, "12346")]
)
def test_three_digits_are_shown(value: float, text: str):
    assert shown(value) == text
