"""How well a text was heard, and when: pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import jiwer

from dev.recording import Sentence
from dev.wer import words

STRAY_SECONDS = 1.0
"""Text whose middle is farther than this from every sentence was said by nobody."""


@dataclass(frozen=True)
class Said:
    """A segment of a transcript; seconds from the recording's beginning."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Score:
    """Of one class of clips, or of one clip.

    ``spoken``: words of the reference. ``errors``: words to be changed, dropped or added.
    ``start_errors``: of each sentence whose first word was heard, the seconds between its
    beginning and that of the segment which holds that word: a segment that runs over several
    sentences is late or early for all but its first. ``stray_words``: words where nobody speaks.
    """

    spoken: int
    errors: int
    start_errors: tuple[float, ...]
    stray_words: int

    @property
    def word_error_rate(self) -> float:
        """Errors as a share of the words spoken; of none, as a share of one."""
        return self.errors / max(1, self.spoken)

    @property
    def start_error(self) -> float:
        """The median, in seconds; not a number when nothing was heard."""
        return median(self.start_errors) if self.start_errors else float("nan")


def score(sentences: Sequence[Sentence], segments: Sequence[Said]) -> Score:
    """One clip's score."""
    reference = [word.lower() for sentence in sentences for word in sentence.words]
    heard = [(word, segment) for segment in segments for word in words(segment.text)]
    stray = sum(len(words(each.text)) for each in segments if _is_stray(each, sentences))
    if not reference or not heard:
        return Score(len(reference), len(reference) + len(heard), (), stray)
    # The same word may occur often: jiwer's alignment with the fewest errors says which is which.
    aligned = jiwer.process_words(" ".join(reference), " ".join(word for word, _ in heard))
    partner = {
        chunk.ref_start_idx + step: heard[chunk.hyp_start_idx + step][1]
        for chunk in aligned.alignments[0]
        if chunk.type == "equal"
        for step in range(chunk.ref_end_idx - chunk.ref_start_idx)
    }
    errors = aligned.substitutions + aligned.deletions + aligned.insertions
    return Score(len(reference), errors, tuple(_start_errors(sentences, partner)), stray)


def total(scores: Iterable[Score]) -> Score:
    """The score of many clips as one."""
    each = list(scores)
    return Score(
        sum(one.spoken for one in each),
        sum(one.errors for one in each),
        tuple(error for one in each for error in one.start_errors),
        sum(one.stray_words for one in each),
    )


def _start_errors(sentences: Sequence[Sentence], partner: dict[int, Said]) -> Iterable[float]:
    first = 0
    for sentence in sentences:
        if segment := partner.get(first):
            yield abs(segment.start - sentence.start)
        first += len(sentence.words)


def _is_stray(segment: Said, sentences: Sequence[Sentence]) -> bool:
    middle = (segment.start + segment.end) / 2
    return not any(
        sentence.start - STRAY_SECONDS <= middle <= sentence.end + STRAY_SECONDS
        for sentence in sentences
    )
