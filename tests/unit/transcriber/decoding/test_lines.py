import re
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.decoding.formats.lines import columns, wrap


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Grüße", 5, id="Latin"),
        pytest.param("u\u0308ber", 4, id="a combining mark has no width"),
        pytest.param("今日は", 6, id="Japanese"),
        pytest.param("ｶﾀｶﾅ", 4, id="half-width Japanese"),
        pytest.param("한국어", 6, id="Korean"),
        pytest.param("ภาษาไทย", 7, id="Thai"),
        pytest.param("กำลัง", 4, id="Thai vowels above and below have no width"),
        pytest.param("שָׁלוֹם", 4, id="Hebrew points have no width"),
        pytest.param("👍 ok", 5, id="an emoji"),
        pytest.param("👨\u200d👩\u200d👧", 2, id="a family of emoji"),
        pytest.param("🇩🇪", 2, id="a flag"),
    ],
)
def test_a_width_is_that_of_columns(text: str, expected: int) -> None:
    assert columns(text) == expected


def broken(text: str, width: int) -> list[str]:
    return [text[slice(*line)] for line in wrap(text, lambda _: width)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param("one two three four", 10, ["one two", "three four"], id="at spaces"),
        pytest.param("a Rindfleischetikettierung", 10, ["a", "Rindfleisc", "hetikettie", "rung"],
                     id="a word longer than a line"),
        pytest.param("今日は会議の議題です", 10, ["今日は会議", "の議題です"],
                     id="Japanese anywhere"),
        pytest.param("今日は会議。議題です", 10, ["今日は会", "議。議題で", "す"],
                     id="no line begins with a full stop"),
        pytest.param("彼は言った「そうです」", 12, ["彼は言った", "「そうです」"],
                     id="no line ends with an opening bracket"),
        pytest.param("Kubernetesの設定", 12, ["Kubernetesの", "設定"], id="Latin in Japanese"),
        pytest.param("설정을 다시 확인하세요", 14, ["설정을 다시", "확인하세요"],
                     id="Korean at its spaces"),
        pytest.param("สวัสดีครับทุกคน", 10, ["สวัสดีครับทุกค", "น"], id="Thai anywhere"),
        pytest.param("ไปไหนไปไหน", 4, ["ไปไห", "นไป", "ไหน"],
                     id="Thai, but not after a vowel that stands before its consonant"),
        pytest.param("10\xa0000 Euro", 10, ["10\xa0000", "Euro"], id="not at a no-break space"),
    ],
)  # fmt: skip
def test_lines_break(text: str, width: int, expected: list[str]) -> None:
    assert broken(text, width) == expected


SCRIPTS = [
    *[
        "a",
        "b",
        " ",
        "  ",
        "\xa0",
        "\u200b",
        "\u3000",
        ".",
        ",",
        "(",
        ")",
        "\ufffd",
        "é",
        "e\u0301",
    ],
    *["漢", "字", "。", "、", "！", "「", "」", "ー", "ん", "한", "👍", "👨\u200d👩\u200d👧", "🇩🇪"],
    *["ก", "ำ", "เ", "ั", "မ", "ြ", "ש", "ב", "\u05b8", "م"],
]
anything = st.sampled_from(SCRIPTS) | st.characters(exclude_categories=["Cc", "Cs"])
texts = (
    st.lists(anything, max_size=60)
    .map("".join)
    .map(lambda text: re.sub(r"\s{2,}|[\u2028\u2029]", " ", text))
)


@given(text=texts, width=st.integers(10, 42))
def test_lines_fit_lose_nothing_but_spaces_and_break_no_cluster(text: str, width: int) -> None:
    lines = broken(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line == line.strip() for line in lines)
    assert max(map(columns, lines), default=0) <= width
    clusters = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
    assert all(start in clusters for start, _ in wrap(text, lambda _: width))
    assert not any(unicodedata.category(line[0]) == "Mn" for line in lines[1:])


@given(text=st.text("今日は会議の議題です。、！？」", max_size=60), width=st.integers(10, 42))
def test_no_line_begins_with_closing_punctuation_unless_nothing_else_fits(
    text: str, width: int
) -> None:
    for line in broken(text, width)[1:]:
        before = text[: text.index(line)]
        if line[0] in "。、！？」":
            assert set(before[-width // 2 + 1 :]) <= set("。、！？」")
