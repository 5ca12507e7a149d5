"""The word error rate, for the demo's last line; the tests measure it with jiwer."""

import re


def word_error_rate(spoken: str, heard: str) -> float:
    """Words that have to be changed, dropped or added, as a share of the words spoken."""
    reference, hypothesis = words(spoken), words(heard)
    return edit_distance(reference, hypothesis) / max(1, len(reference))


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return re.findall(r"[\w']+", text.lower())


def edit_distance(first: list[str], second: list[str]) -> int:
    """Levenshtein's distance between two lists of words.

    By Myers' algorithm as Hyyrö wrote it down: a column of the table is the bits of two integers,
    so that 2,000 words against 2,000 words take milliseconds instead of seconds.
    """
    if not first:
        return len(second)
    occurs: dict[str, int] = {}
    for position, word in enumerate(first):
        occurs[word] = occurs.get(word, 0) | 1 << position
    everything, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down, distance = everything, 0, len(first)
    for word in second:
        match = occurs.get(word, 0)
        diagonal = (((match & up) + up) ^ up) | match | down
        rises, falls = down | ~(diagonal | up) & everything, up & diagonal
        distance += bool(rises & last) - bool(falls & last)
        rises, falls = rises << 1 | 1, falls << 1
        up = (falls | ~(diagonal | rises)) & everything
        down = rises & diagonal & everything
    return distance
