import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.wer import edit_distance, normalised, number, word_error_rate, words

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


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("and mister john dashwood", "And Mr. John Dashwood,"),
        ("rather cold hearted", "rather cold-hearted"),
        ("one thousand two hundred horses", "1,200 horses"),
        ("it's mine", "It\N{RIGHT SINGLE QUOTATION MARK}s mine!"),
    ],
    ids=["title", "hyphen", "number", "apostrophe"],
)
def test_another_way_of_writing_the_same_words_is_no_error(spoken, written):
    assert word_error_rate(spoken, written) == 0


def test_a_list_of_numbers_is_not_one_number():
    assert normalised("1, 2,3 and 20") == ["one", "two", "three", "and", "twenty"]


@pytest.mark.parametrize(
    ("value", "spoken"),
    [
        (0, "zero"),
        (17, "seventeen"),
        (40, "forty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (1811, "one thousand eight hundred eleven"),
        (2_000_005, "two million five"),
    ],
)
def test_a_number_in_words(value, spoken):
    assert " ".join(number(value)) == spoken
