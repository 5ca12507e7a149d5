"""Timed words to segments, where the model wrote no timestamps: pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from whisper_transcriber.engine.protocol import DecodedSegment, Word

LONGEST_SECONDS = 8.0
"""About the longest cue that subtitles hold; a longer sentence is cut at its clauses."""

PAUSE_SECONDS = 1.0
"""Ends a segment, whatever its punctuation."""

_SENTENCE_ENDS = tuple(".?!…。？！｡।؟۔։")  # noqa: RUF001
_TITLES = frozenset(
    ["mr", "mrs", "ms", "dr", "st", "prof", "hr", "fr", "sr", "sra", "srta", "mme", "mlle", "sig"]
)
"""Abbreviations in front of a name; their full stop ends no sentence."""

_CLAUSE_ENDS = tuple(",;:–—،、，；：")  # noqa: RUF001
_CLOSING = "\"'”’»)]}」』"  # noqa: RUF001

Stretch = tuple[float, float]
"""From one second of the window to another."""


def sentences(words: Sequence[Word], speech: Iterable[Stretch]) -> tuple[DecodedSegment, ...]:
    """Segments that end with sentences and at pauses, none much longer than LONGEST_SECONDS.

    Args:
        words: in order; their times leave the pauses between the stretches out.
        speech: the stretches of the window that the model heard, in order.
    """
    stretches = _joined(speech)
    placed = [_placed(word, stretches) for word in words]
    return tuple(
        _segment(short) for sentence in _by_sentence(placed) for short in _shortened(sentence)
    )


def _joined(speech: Iterable[Stretch]) -> list[Stretch]:
    """Stretches that touch are one."""
    found: list[Stretch] = []
    for start, end in speech:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _placed(word: Word, speech: Sequence[Stretch]) -> Word:
    """A word at its place in the window: in the stretch that most of it lies in, since nobody
    says one across a pause."""
    parts, offset = [], 0.0
    for start, end in speech:
        first, last = max(word.start, offset), min(word.end, offset + end - start)
        parts.append((last - first, start + first - offset, start + last - offset))
        offset += end - start
    _, first, last = max(parts, key=lambda part: part[0])
    return replace(word, start=min(first, last), end=last)


def _by_sentence(words: Sequence[Word]) -> Iterator[list[Word]]:
    current = list(words[:1])
    for before, word in pairwise(words):
        if _is_border(before, word):
            yield current
            current = []
        current.append(word)
    if current:
        yield current


def _is_border(before: Word, word: Word) -> bool:
    if word.start - before.end >= PAUSE_SECONDS:
        return True
    text, following = before.text.strip().rstrip(_CLOSING), word.text.strip()
    if not text.endswith(_SENTENCE_ENDS) or following[:1].islower():
        return False
    return not (text.endswith(".") and _is_abbreviation(text))


def _is_abbreviation(text: str) -> bool:
    """Whether a word's full stop belongs to a title or an initial."""
    letters = "".join(filter(str.isalnum, text))
    return len(letters) <= 1 or letters.casefold() in _TITLES


def _shortened(words: list[Word]) -> Iterator[list[Word]]:
    """A sentence cut in two until its parts are short enough."""
    if len(words) < 2 or words[-1].end - words[0].start <= LONGEST_SECONDS:
        yield words
        return
    cut = _best_cut(words)
    yield from _shortened(words[:cut])
    yield from _shortened(words[cut:])


def _best_cut(words: Sequence[Word]) -> int:
    """The number of words before the best place for a cut: a clause's end, a pause, the middle."""
    start, length = words[0].start, words[-1].end - words[0].start

    def worth(cut: int) -> tuple[bool, bool, float, float]:
        before, after = words[cut - 1], words[cut]
        from_middle = abs((after.start - start) / length - 0.5)
        ends_clause = before.text.strip().rstrip(_CLOSING).endswith(_CLAUSE_ENDS)
        return from_middle <= 0.25, ends_clause, after.start - before.end, -from_middle

    return max(range(1, len(words)), key=worth)


def _segment(words: Sequence[Word]) -> DecodedSegment:
    return DecodedSegment(
        start=words[0].start,
        end=words[-1].end,
        text="".join(word.text for word in words),
        tokens=tuple(token for word in words for token in word.tokens),
        words=tuple(words),
    )
