import random
from itertools import chain, islice, pairwise

from dev.vocabulary import CATEGORIES, TEMPLATES, WORDS, sentences


def spoken(seed: int, count: int = 300) -> list[tuple[str, ...]]:
    return list(islice(sentences(random.Random(seed)), count))


def test_the_vocabulary_is_the_models():
    assert len(WORDS) == len(set(WORDS)) == 288


def test_a_seed_always_says_the_same():
    assert spoken(7) == spoken(7)
    assert spoken(7) != spoken(8)


def test_every_word_is_in_the_vocabulary():
    assert set(chain.from_iterable(spoken(1))) <= set(WORDS)
    assert {word for line in TEMPLATES for word in line} <= set(WORDS) | set(CATEGORIES)


def test_no_word_follows_itself_not_even_across_a_full_stop():
    words = [word.lower() for word in chain.from_iterable(spoken(2, 2000))]
    assert all(first != second for first, second in pairwise(words))
