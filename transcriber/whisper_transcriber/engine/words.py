"""Timed tokens to words: pure. The rules are openai-whisper's (whisper.timing), for cut windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from whisper.timing import WordTiming, merge_punctuations  # type: ignore[import-untyped]

from whisper_transcriber.engine.alignment import Times
from whisper_transcriber.engine.protocol import DecodedSegment, Word
from whisper_transcriber.engine.vocabulary import SplitToWords

PREPENDED = "\"'“¿([{-"
APPENDED = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
_SENTENCE_ENDS = ".。!！?？"  # noqa: RUF001
"""whisper.timing.add_word_timestamps' defaults."""

_LONGEST_MEDIAN = 0.7
_PAUSE_MEDIANS = 4
_TOLERANCE = 0.5
"""Its constants: seconds, medians, seconds."""


@dataclass(frozen=True)
class _Pace:
    """How long words last in a window, seconds."""

    median: float

    @property
    def longest(self) -> float:
        return 2 * self.median


def with_words(
    phrases: Sequence[DecodedSegment],
    texts: Sequence[list[int]],
    times: Times,
    split: SplitToWords,
    length: float,
) -> tuple[DecodedSegment, ...]:
    """The phrases of a window, each with its words.

    Args:
        phrases: in order.
        texts: the text tokens of each.
        times: of all these tokens.
        split: into words, in the window's language.
        length: of the window, seconds; no word reaches beyond it.
    """
    aligned = _aligned(phrases, texts, times, split)
    everything = [word for words in aligned for word in words]
    durations = [word.end - word.start for word in everything if word.end > word.start]
    pace = _Pace(min(_LONGEST_MEDIAN, float(np.median(durations))) if durations else 0.0)
    if durations:
        _shorten_at_sentence_ends(everything, pace)
    timed, spoken_until = [], 0.0
    for phrase, words in zip(phrases, aligned, strict=True):
        merge_punctuations(words, PREPENDED, APPENDED)
        words = [word for word in words if word.word]
        if words:
            _shorten_at_borders(words, phrase, pace, spoken_until, length)
            spoken_until = words[-1].end
        timed.append(words)
    return tuple(_inside(phrases, timed, length))


def _aligned(
    phrases: Sequence[DecodedSegment], texts: Sequence[list[int]], times: Times, split: SplitToWords
) -> list[list[WordTiming]]:
    """Each phrase's words; all of its text as one where its tokens cannot be told apart."""
    aligned, first = [], 0
    for phrase, tokens in zip(phrases, texts, strict=True):
        words, word_tokens = split(tokens)
        if "".join(words) != phrase.text:
            words, word_tokens = [phrase.text], [tokens]
        borders = accumulate(map(len, word_tokens), initial=first)
        aligned.append(
            [
                WordTiming(
                    word,
                    list(its_tokens),
                    times.starts[start],
                    times.starts[stop],
                    float(np.mean(times.probabilities[start:stop])),
                )
                for word, its_tokens, (start, stop) in zip(
                    words, word_tokens, pairwise(borders), strict=True
                )
            ]
        )
        first += len(tokens)
    return aligned


def _shorten_at_sentence_ends(words: list[WordTiming], pace: _Pace) -> None:
    for previous, word in pairwise(words):
        if word.end - word.start <= pace.longest:
            continue
        if word.word in _SENTENCE_ENDS:
            word.end = word.start + pace.longest
        elif previous.word in _SENTENCE_ENDS:
            word.start = word.end - pace.longest


def _shorten_at_borders(
    words: list[WordTiming], phrase: DecodedSegment, pace: _Pace, spoken_until: float, length: float
) -> None:
    """Keep a phrase's first and last word from reaching into the pauses around it."""
    first, last = words[0], words[-1]
    if first.end - spoken_until > _PAUSE_MEDIANS * pace.median:
        _shorten_beginning(words, pace)
    if first.start < phrase.start - _TOLERANCE and phrase.start < first.end:
        first.start = max(0.0, min(first.end - pace.median, phrase.start))
    end = length if phrase.end is None else phrase.end
    if last.end > end + _TOLERANCE and last.start < end:
        last.end = max(last.start + pace.median, end)


def _shorten_beginning(words: list[WordTiming], pace: _Pace) -> None:
    first, *rest = words[:2]
    second = rest[0] if rest else None
    long = first.end - first.start > pace.longest
    if not long and (second is None or second.end - first.start <= 2 * pace.longest):
        return
    if second is not None and second.end - second.start > pace.longest:
        first.end = second.start = max(second.end / 2, second.end - pace.longest)
    first.start = max(0.0, first.end - pace.longest)


def _inside(
    phrases: Sequence[DecodedSegment], timed: Sequence[Sequence[WordTiming]], length: float
) -> Iterator[DecodedSegment]:
    """Phrases whose words are in order and within the window."""
    earliest = 0.0
    for phrase, words in zip(phrases, timed, strict=True):
        settled = []
        for word in words:
            start = min(max(word.start, earliest), length)
            earliest = min(max(word.end, start), length)
            settled.append(Word(start, earliest, word.word, word.probability, tuple(word.tokens)))
        yield replace(phrase, words=tuple(settled))
