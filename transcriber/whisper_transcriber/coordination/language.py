"""Which language a recording is in: said by the user, or a vote over some of its windows."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from transcription_contract.decoding import LanguagePer
from transcription_contract.options import LANGUAGE_AUTO
from whisper_transcriber import languages
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.facts import AudioWarning, WarningKind
from whisper_transcriber.audio.samples import heard
from whisper_transcriber.audio.windows import Window
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import ItemLanguage, ItemPlan, Shard
from whisper_transcriber.coordination.names import language_name
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.engine.protocol import Engine

log = logging.getLogger(__name__)

UNCERTAIN_PROBABILITY = 0.5
"""Below it, a detected language is reported as uncertain."""

VOTERS = 4
"""Windows that vote: a minute of speech, twice what openai-whisper looks at."""

NO_SPEECH = ItemLanguage(language="en", probability=0.0)
"""The language of a recording without speech, which has no text either."""

PATIENCE_SECONDS = 5
"""How long the vote on a shared recording is left to the worker that has its first slice. The
others need as long for it as that one does."""


class Languages:
    """The languages of a job's recordings, each found once and pinned for all workers."""

    def __init__(
        self, job: Job, state: WorkspaceState, engine: Engine, recordings: AudioCache
    ) -> None:
        """Raises LanguageUnknown if the model does not support the requested language."""
        self._job = job
        self._state = state
        self._engine = engine
        self._recordings = recordings
        self._given = self._stated()
        self.per_slice = self._given is None and job.task.decoding.language_per is LanguagePer.SLICE

    def of_sliced(
        self, shard: Shard, item: int, slices: Callable[[], Iterable[Sequence[Window]]]
    ) -> ItemLanguage:
        """The language of a recording that is shared.

        Args:
            shard: the slice that is planned.
            item: the recording's number.
            slices: the windows of each of its slices, in order.
        """
        if self._given:
            return self._given
        name = language_name(shard.group)
        for _ in range(PATIENCE_SECONDS if shard.slice and self._job.has_company else 0):
            if name in self._state.names:
                break
            self._job.interruption.wait(1.0)
            self._state.look(at_most_every=1.0)
        found = self._job.workspace.find(name, ItemLanguage) if name in self._state.names else None
        if found:
            return found
        speech = next((windows for windows in slices() if windows), ())
        stored = self._job.workspace.settle(name, self._votes({item: speech})[item])
        self._state.add(name)
        log.info("language: %s (%.0f %%)", stored.language, 100 * (stored.probability or 0.0))
        return stored

    def of_small(self, windows: Mapping[int, Sequence[Window]]) -> dict[int, ItemLanguage]:
        """The languages of small recordings or of a slice, by the windows of each."""
        if self._given:
            return dict.fromkeys(windows, self._given)
        return self._votes(windows)

    def _stated(self) -> ItemLanguage | None:
        """The language that the user states, or the only one that the model has."""
        stated = self._job.task.language
        if stated == LANGUAGE_AUTO:
            only = self._engine.only_language
            return ItemLanguage(language=only, probability=None) if only else None
        code = languages.code_of(stated)
        self._engine.check_language(code)
        return ItemLanguage(language=code, probability=None)

    def _votes(self, windows: Mapping[int, Sequence[Window]]) -> dict[int, ItemLanguage]:
        chosen = [window for planned in windows.values() for window in voters(planned)]
        ballots: dict[int, list[Mapping[str, float]]] = {item: [] for item in windows}
        for first in range(0, len(chosen), self._job.task.batch_size):
            self._job.interruption.check()
            self._job.watchdog.sign_of_life()
            batch = chosen[first : first + self._job.task.batch_size]
            waveforms = [
                heard(window, self._recordings.waveform, joined=self._engine.aligned)
                for window in batch
            ]
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


def most_spoken(slices: Sequence[tuple[ItemPlan, int]]) -> ItemLanguage:
    """The language of a recording, by its slices and how many samples of each are spoken."""
    spoken: dict[str, int] = {}
    for plan, samples in slices:
        spoken[plan.language] = spoken.get(plan.language, 0) + samples
    winner = min(spoken, key=lambda language: (-spoken[language], language))
    votes = [plan.language_probability for plan, _ in slices
             if plan.language == winner and plan.language_probability is not None]  # fmt: skip
    return ItemLanguage(language=winner, probability=max(votes, default=None))


def uncertainty(found: ItemLanguage) -> tuple[AudioWarning, ...]:
    """The warning that a detected language deserves, if it deserves one."""
    probability = found.probability
    # 0 stands for a recording without speech.
    if not probability or probability >= UNCERTAIN_PROBABILITY:
        return ()
    return (
        AudioWarning(
            kind=WarningKind.UNCERTAIN_LANGUAGE,
            message=f"The language was detected as {found.language} with a probability of only "
            f"{probability:.0%}. If that is wrong, state the language.",
        ),
    )


def _speech(window: Window) -> int:
    return sum(span.stop - span.start for span in window.speech)
