"""Which language a recording is in: a vote over some of its windows. Pure."""

from collections.abc import Mapping, Sequence

from whisper_transcriber.plan import Window
from whisper_transcriber.shards import ItemLanguage

VOTERS = 4
"""Windows that vote: a minute of speech, twice what openai-whisper looks at."""

NO_SPEECH = ItemLanguage(language="en", probability=0.0)
"""What is said of a recording in which nobody speaks; there is no text for it to matter to."""


def voters(planned: Sequence[Window]) -> list[Window]:
    """The windows with the most speech, in order of time."""
    by_speech = sorted(planned, key=lambda each: (-_speech(each), each.start))
    return sorted(by_speech[:VOTERS], key=lambda each: each.start)


def vote(ballots: Sequence[Mapping[str, float]]) -> ItemLanguage:
    """The language with the highest mean probability; of equal ones the first in the alphabet."""
    totals: dict[str, float] = {}
    for ballot in ballots:
        for language, probability in ballot.items():
            totals[language] = totals.get(language, 0.0) + probability
    winner = min(totals, key=lambda language: (-totals[language], language))
    return ItemLanguage(language=winner, probability=round(totals[winner] / len(ballots), 4))


def _speech(window: Window) -> int:
    return sum(span.stop - span.start for span in window.speech)
