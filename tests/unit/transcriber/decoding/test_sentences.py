from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.decoding.sentences import LONGEST_SECONDS, sentences
from whisper_transcriber.engine.protocol import DecodedSegment, Word

ALL = ((0.0, 30.0),)


def spoken(text: str, start: float = 0.0, pace: float = 0.5) -> list[Word]:
    """Words that take ``pace`` seconds each; the n-th has the token n."""
    return [
        Word(start + number * pace, start + (number + 1) * pace, f" {word}", 0.9, (number,))
        for number, word in enumerate(text.split())
    ]


def texts(found: tuple[DecodedSegment, ...]) -> list[str]:
    return [each.text for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One two. Three four.", [" One two.", " Three four."], id="a full stop"),
        pytest.param("Who? Me! Yes… No", [" Who?", " Me!", " Yes…", " No"], id="other signs"),
        pytest.param('"Go." He went.', [' "Go."', " He went."], id="a quotation"),
        pytest.param("Señor D. Manuel Tamayo", [" Señor D. Manuel Tamayo"], id="an initial"),
        pytest.param("And Mr. John came.", [" And Mr. John came."], id="a title"),
        pytest.param("siehe z.B. das hier", [" siehe z.B. das hier"], id="an abbreviation"),
        pytest.param("你好。 再见。", [" 你好。", " 再见。"], id="Chinese"),
        pytest.param("वह गया। मैं आया।", [" वह गया।", " मैं आया।"], id="Hindi"),
        pytest.param("no signs at all", [" no signs at all"], id="no punctuation"),
    ],
)
def test_segments_are_sentences(text: str, expected: list[str]) -> None:
    assert texts(sentences(spoken(text), ALL)) == expected


def test_a_pause_ends_a_segment() -> None:
    found = sentences(spoken("one two three four"), ((0.0, 1.0), (2.5, 4.0)))
    assert texts(found) == [" one two", " three four"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param((0.0, 0.8), (2.0, 2.8), id="in the first stretch"),
        pytest.param((1.2, 1.5), (9.2, 9.5), id="in the second one"),
        pytest.param((0.3, 1.1), (2.3, 3.0), id="mostly in the first"),
        pytest.param((0.8, 1.7), (9.0, 9.7), id="mostly in the second"),
        pytest.param((1.9, 2.5), (9.9, 10.0), id="beyond the end"),
        pytest.param((2.3, 2.5), (10.0, 10.0), id="after the end"),
    ],
)
def test_words_are_placed_where_they_were_heard(
    word: tuple[float, float], expected: tuple[float, float]
) -> None:
    (found,) = sentences([Word(*word, " x", 0.9)], ((2.0, 3.0), (9.0, 10.0)))
    assert (found.start, found.end) == pytest.approx(expected)


def test_stretches_of_speech_that_touch_are_one() -> None:
    (found,) = sentences([Word(0.5, 1.5, " across", 0.9)], ((0.0, 1.0), (1.0, 2.0)))
    assert (found.start, found.end) == (0.5, 1.5)


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    text = "a b c d e f g h i j k, l m n o p q r s t u v"
    assert texts(sentences(spoken(text), ALL)) == [
        " a b c d e f g h i j k,",
        " l m n o p q r s t u v",
    ]


def test_a_long_sentence_without_clauses_is_cut_at_its_widest_pause() -> None:
    words = [*spoken("a b c d e f g h"), *spoken("i j k l m n o p", start=4.4)]
    assert texts(sentences(words, ALL)) == [" a b c d e f g h", " i j k l m n o p"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "B.", "c,", "D?", "e"]), st.floats(0, 2), st.floats(0, 1)),
        max_size=60,
    )
)
def test_nothing_is_lost_and_no_segment_is_long(said: list[tuple[str, float, float]]) -> None:
    words, now = [], 0.0
    for number, (text, pause, length) in enumerate(said):
        start = now + pause
        now = start + length
        words.append(Word(start, now, f" {text}", 0.9, (number,)))
    found = sentences(words, [(0.0, now + 1)])
    assert "".join(texts(found)) == "".join(word.text for word in words)
    assert [token for each in found for token in each.tokens] == list(range(len(words)))
    spans = [(each.start, each.end or 0.0) for each in found if len(each.words) > 1]
    assert all(end - start <= LONGEST_SECONDS for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_no_words_are_no_segments() -> None:
    assert sentences([], ALL) == ()
