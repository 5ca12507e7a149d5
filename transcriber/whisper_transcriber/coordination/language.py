"""Which language a recording is in: said by the user, or a vote over some of its windows."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from transcription_contract.options import LANGUAGE_AUTO
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.windows import Window
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import ItemLanguage, item_language_name
from whisper_transcriber.engine.protocol import Engine

log = logging.getLogger(__name__)

VOTERS = 4
"""Windows that vote: a minute of speech, twice what openai-whisper looks at."""

NO_SPEECH = ItemLanguage(language="en", probability=0.0)
"""What is said of a recording in which nobody speaks; there is no text for it to matter to."""

PATIENCE_SECONDS = 30
"""How long the vote on a shared recording is left to the worker that has its first slice."""


class Languages:
    """The languages of a job's recordings, each found once and pinned for all workers."""

    def __init__(self, job: Job, engine: Engine, recordings: AudioCache) -> None:
        """Raises LanguageUnknown if the user's is none that the model knows."""
        self._job = job
        self._engine = engine
        self._recordings = recordings
        self._given = None if job.task.language == LANGUAGE_AUTO else job.task.language
        if self._given:
            engine.check_language(self._given)
        else:
            self._given = engine.only_language

    def of_sliced(
        self, item: int, is_first: bool, slices: Callable[[], Iterable[Sequence[Window]]]
    ) -> str:
        """The language of a recording that is shared.

        Args:
            item: its number.
            is_first: whether this worker has its first slice.
            slices: the windows of each of its slices, in order.
        """
        if self._given:
            return self._given
        name = item_language_name(item)
        for _ in range(0 if is_first or self._job.task.workers == 1 else PATIENCE_SECONDS):
            if found := self._job.workspace.find(name, ItemLanguage):
                return found.language
            self._job.interruption.wait(1.0)

        def make() -> ItemLanguage:
            speech = next((windows for windows in slices() if windows), ())
            return self._votes({item: speech})[item]

        stored = self._job.workspace.agree(name, ItemLanguage, make)
        log.info("language: %s (%.0f %%)", stored.language, 100 * stored.probability)
        return stored.language

    def of_small(self, windows: Mapping[int, Sequence[Window]]) -> dict[int, str]:
        """The languages of small recordings, by the windows of each."""
        if self._given:
            return dict.fromkeys(windows, self._given)
        return {item: vote.language for item, vote in self._votes(windows).items()}

    def _votes(self, windows: Mapping[int, Sequence[Window]]) -> dict[int, ItemLanguage]:
        chosen = [window for planned in windows.values() for window in voters(planned)]
        ballots: dict[int, list[Mapping[str, float]]] = {item: [] for item in windows}
        for first in range(0, len(chosen), self._job.task.batch_size):
            batch = chosen[first : first + self._job.task.batch_size]
            waveforms = [self._recordings.waveform(w.item, w.start, w.stop, w.lane) for w in batch]
            answers = self._engine.language_probabilities(waveforms)
            for window, ballot in zip(batch, answers, strict=True):
                ballots[window.item].append(ballot)
        return {item: vote(given) if given else NO_SPEECH for item, given in ballots.items()}


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
