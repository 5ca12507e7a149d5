"""Where somebody speaks in a shard's recordings: a plan but for the languages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from transcription_contract.decoding import DecodingMode
from transcription_contract.task import Task
from transcription_contract.termination import Failure
from whisper_transcriber.audio import windows as windowing
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.speech import SpeechFinder
from whisper_transcriber.audio.windows import Span, Window
from whisper_transcriber.coordination.layout import Group, Items, Shard
from whisper_transcriber.coordination.manifest import NOT_MEDIA
from whisper_transcriber.errors import ITEM_FAULTS, TranscriberError
from whisper_transcriber.models import catalogue

_AHEAD = 3
"""Small recordings that are fetched and decoded while the one before them is looked at."""


@dataclass(frozen=True)
class Heard:
    """The windows of speech in one item's stretch of a shard, or why it has none."""

    within: Span
    windows: Sequence[Window] = ()
    failure: Failure | None = None
    audio: AudioFacts | None = None
    warnings: tuple[AudioWarning, ...] = ()


Draft = dict[int, Heard]
"""By item: a plan but for the languages, which need the engine."""


class Drafter:
    """Fetches, decodes and looks for speech. Safe to use from several threads."""

    def __init__(self, task: Task, items: Items, recordings: AudioCache) -> None:
        self._task = task
        self._items = items
        self._recordings = recordings
        joined = catalogue.is_aligned(task)
        limit = windowing.window_samples(
            task.decoding.window_seconds,
            official=catalogue.is_official(task.model),
            joined=joined,
        )
        self._speech = SpeechFinder(recordings, task.decoding.vad, limit, joined=joined)
        # The only recording of a job is the job: its fault ends it, with an exit code of its own.
        self.strict = not task.has_many or task.failure_policy == "FailFast"
        self.whole = task.decoding.mode is DecodingMode.SEQUENTIAL

    def is_fatal(self, error: TranscriberError) -> bool:
        """Whether a recording's fault ends the job."""
        return self.strict and not (self._task.has_many and error.reason == NOT_MEDIA)

    def draft(self, shard: Shard) -> Draft | None:
        """The draft of a shard's plan; None if there is no such slice.

        Raises:
            MediaInvalid, SourceNotFound, SourceDenied: of a sliced recording, or where its fault
                ends the job.
        """
        group = self._items.groups[shard.group]
        if group.sliced:
            return self._draft_of_slice(shard)
        return {item: self._heard_or_failed(item, group) for item in group.items}

    def _draft_of_slice(self, shard: Shard) -> Draft | None:
        item = self._items.groups[shard.group].first
        within = self._slice(item, shard.slice)
        return None if within is None else {item: self._heard(item, within)}

    def _heard_or_failed(self, item: int, group: Group) -> Heard:
        for ahead in range(item, min(item + _AHEAD, group.items.stop)):
            self._recordings.samples(ahead)
        try:
            within = Span(0, self._recordings.samples(item).count)
            heard = Heard(within) if self.whole else self._heard(item, within)
            return replace(
                heard,
                audio=self._recordings.facts(item),
                warnings=self._recordings.warnings(item),
            )
        except ITEM_FAULTS as error:
            if self.is_fatal(error):
                raise
            return Heard(Span(0, 0), failure=error.failure)

    def _heard(self, item: int, within: Span) -> Heard:
        return Heard(within, self._speech.windows(item, within))

    def _slice(self, item: int, number: int) -> Span | None:
        start = self._border(item, number) if number else 0
        if start is None:
            return None
        stop = self._border(item, number + 1)
        return Span(start, self._recordings.samples(item).count if stop is None else stop)

    def _border(self, item: int, number: int) -> int | None:
        samples, length = self._recordings.samples(item), self._items.slice_samples
        if not samples.has(windowing.border_search(number, length).stop):
            return None
        return windowing.border(number, length, samples.integers)
