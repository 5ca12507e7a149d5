"""Plans as they are needed: each read from the workspace, or made and stored there."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count

from transcription_contract.options import DecodingMode
from transcription_contract.termination import Failure
from whisper_transcriber.audio import windows as windowing
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.vad import VoiceDetector
from whisper_transcriber.audio.windows import Span, Window
from whisper_transcriber.coordination import layout
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.language import Languages
from whisper_transcriber.coordination.layout import (
    Group,
    GroupAudio,
    ItemPlan,
    Items,
    Shard,
    ShardPlan,
)
from whisper_transcriber.errors import ITEM_FAULTS, TranscriberError
from whisper_transcriber.models import catalogue

log = logging.getLogger(__name__)

_AHEAD = 3
"""Small recordings that are fetched and decoded while the one before them is looked at."""


@dataclass(frozen=True)
class _Heard:
    """Where somebody speaks in one item's stretch of a shard, or why nobody can tell."""

    within: Span
    windows: Sequence[Window] = ()
    failure: Failure | None = None


_Draft = dict[int, _Heard]
"""By item: a plan but for the languages, which need the engine."""


class Planner:
    """The plans of one job. ``prepare`` works in a thread, the rest where it is called."""

    def __init__(
        self, job: Job, items: Items, recordings: AudioCache, languages: Languages
    ) -> None:
        self._job = job
        self._items = items
        self._recordings = recordings
        self._languages = languages
        self._detector: VoiceDetector | None = None
        self._plans: dict[Shard, ShardPlan] = {}
        self._audio: dict[int, GroupAudio] = {}
        self._drafts: dict[Shard, Future[_Draft | None]] = {}
        self._background = ThreadPoolExecutor(2, thread_name_prefix="planner")
        # The only recording of a job is the job: its fault ends it, with an exit code of its own.
        self.strict = len(items.items) == 1 or job.task.failure_policy == "FailFast"
        self._whole = job.task.decoding.mode is DecodingMode.SEQUENTIAL

    def prepare(self, shard: Shard) -> None:
        """Begin with a shard that will be asked for next."""
        if shard not in self._plans and shard not in self._drafts:
            self._drafts[shard] = self._background.submit(self._draft, shard)

    def plan(self, shard: Shard) -> ShardPlan | None:
        """A shard's plan, made if nobody has made it yet; None if there is no such slice."""
        if found := self.known(shard):
            return found
        group = self._items.groups[shard.group]
        if group.sliced:
            audio = self.known_audio(shard.group)
            if audio and shard.slice >= audio.slices:
                return None
        try:
            draft = self._draft_of(shard)
        except ITEM_FAULTS as error:
            self._failed(shard.group, error)
            return None
        if draft is None:
            self.audio(shard.group)
            return None
        self._plans[shard] = self._job.workspace.agree(
            layout.shard_name(shard), ShardPlan, lambda: self._made(shard, draft)
        )
        self._drafts.pop(shard, None)
        return self._plans[shard]

    def known(self, shard: Shard) -> ShardPlan | None:
        """A shard's plan if anybody has made it."""
        if shard not in self._plans:
            found = self._job.workspace.find(layout.shard_name(shard), ShardPlan)
            if found is None:
                return None
            self._plans[shard] = found
        return self._plans[shard]

    def planned(self) -> dict[Shard, ShardPlan]:
        """All plans that this worker has seen."""
        return self._plans

    def audio(self, group: int) -> GroupAudio:
        """How long a sliced recording is; waits until it is decoded, unless somebody knows."""
        if found := self.known_audio(group):
            return found
        try:
            samples = self._recordings.samples(self._items.groups[group].first).count
        except ITEM_FAULTS as error:
            return self._failed(group, error)
        slices = windowing.slice_count(samples, self._items.slice_samples)
        return self._agreed(group, GroupAudio(samples=samples, slices=slices))

    def known_audio(self, group: int) -> GroupAudio | None:
        """How long a sliced recording is, if anybody knows."""
        if group not in self._audio:
            found = self._job.workspace.find(layout.group_name(group), GroupAudio)
            if found is None:
                return None
            self._audio[group] = found
        return self._audio[group]

    def shards(self, group: int) -> list[Shard] | None:
        """All shards of a group, or None while nobody knows how many there are."""
        if not self._items.groups[group].sliced:
            return [Shard(group, 0)]
        audio = self.known_audio(group)
        return None if audio is None else [Shard(group, each) for each in range(audio.slices)]

    def failure(self, group: int, item: int) -> Failure | None:
        """Why an item of a group that is planned cannot be transcribed."""
        if self._items.groups[group].sliced:
            audio = self.known_audio(group)
            return audio.failure if audio else None
        return self._item_plan(group, item).failure

    def item_samples(self, group: int, item: int) -> int:
        """How long an item of a planned group is."""
        if self._items.groups[group].sliced:
            return self.audio(group).samples
        return self._item_plan(group, item).samples

    def item_language(self, group: int, item: int) -> str:
        """The language of an item of a planned group."""
        return self._item_plan(group, item).language

    def expected_samples(self, group: int) -> int | None:
        """How long all of a group is, as far as anybody knows or can tell."""
        if not self._items.groups[group].sliced:
            plan = self._plans.get(Shard(group, 0))
            return None if plan is None else sum(each.samples for each in plan.items)
        if audio := self._audio.get(group):
            return audio.samples
        return self._recordings.expected_samples(self._items.groups[group].first)

    def release(self, group: int) -> None:
        """A group's recordings are not needed any more: they need neither disk nor open files."""
        for item in self._items.groups[group].items:
            self._recordings.release(item)

    def close(self) -> None:
        """Begin with nothing more."""
        self._background.shutdown(wait=False, cancel_futures=True)

    def _item_plan(self, group: int, item: int) -> ItemPlan:
        planned = self._plans[Shard(group, 0)]
        return planned.items[item - self._items.groups[group].first]

    def _failed(self, group: int, error: TranscriberError) -> GroupAudio:
        if self.strict:
            raise error
        return self._agreed(group, GroupAudio(samples=0, slices=0, failure=error.failure))

    def _agreed(self, group: int, audio: GroupAudio) -> GroupAudio:
        name = layout.group_name(group)
        self._audio[group] = self._job.workspace.agree(name, GroupAudio, lambda: audio)
        return self._audio[group]

    def _made(self, shard: Shard, draft: _Draft) -> ShardPlan:
        spoken = self._spoken(shard, draft)
        planned = [window for heard in draft.values() for window in heard.windows]
        within = {item: heard.within for item, heard in draft.items()}
        log.info("shard %s: %d windows in %d recordings", shard, len(planned), len(draft))
        return ShardPlan(
            items=tuple(
                ItemPlan(
                    samples=heard.within.stop - heard.within.start,
                    language=spoken[item],
                    failure=heard.failure,
                )
                for item, heard in draft.items()
            ),
            batches=windowing.batches(planned, within, self._job.task.batch_size),
            whole=self._whole,
        )

    def _spoken(self, shard: Shard, draft: _Draft) -> dict[int, str]:
        group = self._items.groups[shard.group]
        if group.sliced:
            slices = partial(self._slices, shard.group)
            language = self._languages.of_sliced(group.first, shard.slice == 0, slices)
            return {group.first: language}
        return self._languages.of_small({item: heard.windows for item, heard in draft.items()})

    def _slices(self, group: int) -> Iterator[Sequence[Window]]:
        """The windows of each slice of a recording, one after the other."""
        for number in count():
            draft = self._draft_of(Shard(group, number))
            if draft is None:
                return
            yield next(iter(draft.values())).windows

    def _draft_of(self, shard: Shard) -> _Draft | None:
        self.prepare(shard)
        draft = self._drafts[shard].result()
        self._job.watchdog.sign_of_life()
        return draft

    def _draft(self, shard: Shard) -> _Draft | None:
        group = self._items.groups[shard.group]
        if group.sliced:
            return self._draft_of_slice(shard)
        return {item: self._heard_or_failed(item, group) for item in group.items}

    def _draft_of_slice(self, shard: Shard) -> _Draft | None:
        item = self._items.groups[shard.group].first
        within = self._slice(item, shard.slice)
        return None if within is None else {item: self._heard(item, within)}

    def _heard_or_failed(self, item: int, group: Group) -> _Heard:
        for ahead in range(item, min(item + _AHEAD, group.items.stop)):
            self._recordings.samples(ahead)
        try:
            within = Span(0, self._recordings.samples(item).count)
            return _Heard(within) if self._whole else self._heard(item, within)
        except ITEM_FAULTS as error:
            if self.strict:
                raise
            return _Heard(Span(0, 0), failure=error.failure)

    def _heard(self, item: int, within: Span) -> _Heard:
        samples = self._recordings.samples(item)
        self._detector = self._detector or VoiceDetector()
        probabilities = self._detector.probabilities(samples.waveform, within.start, within.stop)
        stretches = windowing.speech(probabilities.tolist(), within)
        task = self._job.task
        limit = windowing.window_samples(
            task.decoding.window_seconds, official=task.model.name in catalogue.OFFICIAL
        )
        return _Heard(within, windowing.windows(item, stretches, samples.integers, limit))

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
