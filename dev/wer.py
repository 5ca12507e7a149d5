"""The word error rate, for the demo's last line; the tests measure it with jiwer."""

import re

TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LARGE = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))


def word_error_rate(spoken: str, heard: str) -> float:
    """Words that have to be changed, dropped or added, as a share of the words spoken."""
    reference, hypothesis = normalised(spoken), normalised(heard)
    return edit_distance(reference, hypothesis) / max(1, len(reference))


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return re.findall(r"[\w']+", text.lower())


def normalised(text: str) -> list[str]:
    """The words of a text as they are spoken: titles and whole numbers in full.

    Whisper writes "Mr." and "1,200" where a transcript made by hand may have the words.
    """
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    found = []
    for word in words(plain):
        if re.fullmatch(r"[0-9]{1,9}", word):
            found += number(int(word))
        else:
            found.append(TITLES.get(word, word))
    return found


def number(value: int) -> list[str]:
    """A whole number below a thousand millions, in words and without "and"."""
    for size, name in LARGE:
        if value >= size:
            count, rest = divmod(value, size)
            return [*number(count), name, *(number(rest) if rest else [])]
    if value < len(SMALL):
        return [SMALL[value]]
    tens, rest = divmod(value, 10)
    return [TENS[tens - 2], *([SMALL[rest]] if rest else [])]


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
