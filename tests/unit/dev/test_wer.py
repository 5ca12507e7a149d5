from hypothesis import given
from hypothesis import strategies as st

from dev.wer import edit_distance, word_error_rate, words

few_words = st.lists(st.sampled_from(["red", "house", "moves"]), max_size=12)


def by_the_book(first: list[str], second: list[str]) -> int:
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        above, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@given(few_words, few_words)
def test_the_distance_is_levenshteins(first, second):
    assert edit_distance(first, second) == by_the_book(first, second)


def test_case_and_punctuation_do_not_count():
    assert words("The red house. It's mine!") == ["the", "red", "house", "it's", "mine"]


def test_the_rate_is_a_share_of_the_words_spoken():
    assert word_error_rate("one red house moves", "one house moves") == 0.25
    assert word_error_rate("one", "") == 1
    assert word_error_rate("", "") == 0
