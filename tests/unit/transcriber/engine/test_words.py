import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_transcriber.engine.alignment import Times
from whisper_transcriber.engine.protocol import DecodedSegment
from whisper_transcriber.engine.words import with_words

TOKENS = {1: " so", 2: " it", 3: " goes", 4: ".", 5: ' "', 6: "on", 7: "\ufffd"}
LENGTH = 15.0


def text_of(tokens: list[int]) -> str:
    return "".join(TOKENS[token] for token in tokens)


def split(tokens: list[int]) -> tuple[list[str], list[list[int]]]:
    """Every token is a word."""
    return [TOKENS[token] for token in tokens], [[token] for token in tokens]


def phrase(start: float, end: float | None, *tokens: int) -> DecodedSegment:
    return DecodedSegment(start, end, text_of(list(tokens)), tokens)


def timed(
    phrases: list[DecodedSegment], starts: list[float], split=split, length: float = LENGTH
) -> list[list[tuple[float, float, str]]]:
    """Each phrase's words, when they begin and end."""
    texts = [list(each.tokens) for each in phrases]
    times = Times(starts, [0.5] * (len(starts) - 1))
    return [
        [(round(word.start, 2), round(word.end, 2), word.text) for word in each.words]
        for each in with_words(phrases, texts, times, split, length)
    ]


def test_words_lie_where_their_tokens_were_heard() -> None:
    assert timed([phrase(0, 1, 1, 2)], [0.1, 0.4, 0.8]) == [[(0.1, 0.4, " so"), (0.4, 0.8, " it")]]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        pytest.param((1, 4), [" so."], id="a stop goes with the word before"),
        pytest.param((5, 6), [' "on'], id="an opening quote with the word after"),
    ],
)
def test_punctuation_goes_with_its_word(tokens: tuple[int, ...], words: list[str]) -> None:
    (found,) = timed([phrase(0, 1, *tokens)], [0.0, 0.2, 0.4])
    assert [text for *_, text in found] == words


def test_punctuation_stays_in_its_phrase() -> None:
    found = timed([phrase(0, 1, 1, 5), phrase(1, 2, 2)], [0.0, 0.2, 0.4, 0.6])
    assert ["".join(text for *_, text in words) for words in found] == [' so "', " it"]


def test_text_that_cannot_be_told_apart_is_one_word() -> None:
    def broken(tokens: list[int]) -> tuple[list[str], list[list[int]]]:
        return ["lost"], [tokens]

    assert timed([phrase(0, 1, 1, 7)], [0.0, 0.2, 0.4], broken) == [[(0.0, 0.4, " so\ufffd")]]


def test_a_first_word_does_not_reach_back_into_the_pause() -> None:
    """The usual word lasts 0.2 s: one after a pause is at most twice as long."""
    phrases = [phrase(0, 0.6, 1, 2, 3), phrase(5, 5.6, 1, 2, 3)]
    first, second = timed(phrases, [0.0, 0.2, 0.4, 0.6, 5.2, 5.4, 5.6])
    assert first[-1] == (0.4, 0.6, " goes")
    assert second[0] == (4.8, 5.2, " so")


def test_a_last_word_does_not_reach_into_the_pause_after_its_phrase() -> None:
    (words,) = timed([phrase(0, 0.6, 1, 2, 3)], [0.0, 0.2, 0.4, 3.0])
    assert words[-1] == (0.4, 0.6, " goes")


def test_a_phrase_that_was_never_closed_ends_with_its_window() -> None:
    (words,) = timed([phrase(0, None, 1, 2)], [0.0, 0.2, 4.0], length=3.0)
    assert words[-1] == (0.2, 3.0, " it")


def test_a_window_without_phrases_has_no_words() -> None:
    assert timed([], [0.0]) == []


@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    data=st.data(),
    length=st.floats(0.5, 15.0),
)
def test_words_are_in_order_inside_the_window_and_together_the_text(
    lengths: list[int], data: st.DataObject, length: float
) -> None:
    times = st.floats(0, 15.0)
    phrases = []
    for count in lengths:
        tokens = data.draw(st.lists(st.integers(1, 6), min_size=count, max_size=count))
        start, end = sorted(data.draw(st.tuples(times, times)))
        phrases.append(phrase(start, data.draw(st.sampled_from([end, None])), *tokens))
    count = sum(lengths) + 1
    starts = sorted(data.draw(st.lists(times, min_size=count, max_size=count)))
    texts = [list(each.tokens) for each in phrases]
    spoken = with_words(phrases, texts, Times(starts, [0.5] * (count - 1)), split, length)
    assert ["".join(word.text for word in each.words) for each in spoken] == [
        each.text for each in phrases
    ]
    borders = [at for each in spoken for word in each.words for at in (word.start, word.end)]
    assert borders == sorted(borders)
    assert borders[0] >= 0
    assert borders[-1] <= length
