"""Plans as they are needed: each read from the workspace, or made and stored there."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import count

from transcription_contract.termination import Failure
from whisper_transcriber.audio import windows as windowing
from whisper_transcriber.audio.cache import AudioCache
from whisper_transcriber.audio.facts import AudioFacts, AudioWarning
from whisper_transcriber.audio.windows import Window
from whisper_transcriber.coordination import names
from whisper_transcriber.coordination.drafting import Draft, Drafter
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.language import Languages, most_spoken
from whisper_transcriber.coordination.layout import (
    GroupAudio,
    ItemLanguage,
    ItemPlan,
    Items,
    Shard,
    ShardPlan,
)
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.errors import ITEM_FAULTS, TranscriberError

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.25


class Planner:
    """The plans of one job. ``prepare`` works in a thread, the rest where it is called."""

    def __init__(
        self,
        job: Job,
        items: Items,
        state: WorkspaceState,
        recordings: AudioCache,
        languages: Languages,
    ) -> None:
        self._job = job
        self._items = items
        self._state = state
        self._recordings = recordings
        self._languages = languages
        self._plans: dict[Shard, ShardPlan] = {}
        self._audio: dict[int, GroupAudio] = {}
        self._drafts: dict[Shard, Future[Draft | None]] = {}
        self._background = ThreadPoolExecutor(2, thread_name_prefix="planner")
        self._drafter = Drafter(job.task, items, recordings)

    @property
    def strict(self) -> bool:
        """Whether a recording's fault ends the job."""
        return self._drafter.strict

    def prepare(self, shard: Shard) -> None:
        """Begin with a shard that will be asked for next, unless it is planned or delivered."""
        planned = shard in self._plans or shard in self._state.plans
        if not planned and shard.group not in self._state.delivered:
            self._begin(shard)

    def plan(self, shard: Shard) -> ShardPlan | None:
        """A shard's plan, made if nobody has made it yet; None if there is no such slice."""
        if found := self.known(shard):
            return found
        if self._is_beyond(shard):
            return None
        try:
            draft = self._draft_of(shard)
        except ITEM_FAULTS as error:
            self._failed(shard.group, error)
            return None
        if draft is None:
            self.audio(shard.group)
            return None
        name = names.shard_name(shard)
        self._plans[shard] = self._job.workspace.settle(name, self._made(shard, draft))
        self._state.add(name)
        self._drafts.pop(shard, None)
        return self._plans[shard]

    def known(self, shard: Shard) -> ShardPlan | None:
        """A shard's plan if any worker has stored it."""
        if shard not in self._plans and shard in self._state.plans:
            found = self._job.workspace.find(names.shard_name(shard), ShardPlan)
            if found is not None:
                self._plans[shard] = found
        return self._plans.get(shard)

    def planned(self) -> dict[Shard, ShardPlan]:
        """All plans that this worker has read or made, of groups that it has not released."""
        return self._plans

    def begun(self) -> list[int]:
        """The groups that this worker knows something of, and has not released."""
        return sorted({shard.group for shard in (*self._plans, *list(self._drafts))})

    def audio(self, group: int) -> GroupAudio:
        """How long a sliced recording is; waits until it is decoded, unless somebody knows."""
        if found := self.known_audio(group):
            return found
        try:
            item = self._items.groups[group].first
            samples = self._recordings.samples(item).count
        except ITEM_FAULTS as error:
            return self._failed(group, error)
        slices = windowing.slice_count(samples, self._items.slice_samples)
        return self._agreed(
            group,
            GroupAudio(
                samples=samples,
                slices=slices,
                audio=self._recordings.facts(item),
                warnings=self._recordings.warnings(item),
            ),
        )

    def known_audio(self, group: int) -> GroupAudio | None:
        """How long a sliced recording is, if any worker has stored it."""
        name = names.audio_name(group)
        if group not in self._audio and name in self._state.names:
            found = self._job.workspace.find(name, GroupAudio)
            if found is not None:
                self._audio[group] = found
        return self._audio.get(group)

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

    def item_audio(
        self, group: int, item: int
    ) -> tuple[AudioFacts | None, tuple[AudioWarning, ...]]:
        """Which sound of an item of a planned group was transcribed, and what to know of it."""
        sliced = self._items.groups[group].sliced
        found = self.audio(group) if sliced else self._item_plan(group, item)
        return found.audio, found.warnings

    def item_language(self, group: int, item: int) -> ItemLanguage:
        """The language of an item of a planned group; of slices that differ, the most spoken."""
        shards = self.shards(group) or []
        plans = [plan for shard in shards if (plan := self._plans.get(shard))]
        place = item - self._items.groups[group].first
        return most_spoken([(plan.items[place], plan.spoken_samples(item)) for plan in plans])

    def expected_samples(self, group: int) -> int | None:
        """How long all of a group is, as far as anybody knows or can tell."""
        if not self._items.groups[group].sliced:
            plan = self._plans.get(Shard(group, 0))
            return None if plan is None else sum(each.samples for each in plan.items)
        if audio := self._audio.get(group):
            return audio.samples
        return self._recordings.expected_samples(self._items.groups[group].first)

    def release(self, group: int) -> None:
        """A group is not needed any more: it needs neither disk, open files, nor memory."""
        for item in self._items.groups[group].items:
            self._recordings.release(item)
        for kept in (self._plans, self._drafts):
            for shard in [each for each in kept if each.group == group]:
                del kept[shard]

    def close(self) -> None:
        """Begin with nothing more."""
        self._background.shutdown(wait=False, cancel_futures=True)

    def _item_plan(self, group: int, item: int) -> ItemPlan:
        planned = self._plans[Shard(group, 0)]
        return planned.items[item - self._items.groups[group].first]

    def _failed(self, group: int, error: TranscriberError) -> GroupAudio:
        if self._drafter.is_fatal(error):
            raise error
        return self._agreed(group, GroupAudio(samples=0, slices=0, failure=error.failure))

    def _agreed(self, group: int, audio: GroupAudio) -> GroupAudio:
        name = names.audio_name(group)
        self._audio[group] = self._job.workspace.settle(name, audio)
        self._state.add(name)
        return self._audio[group]

    def _is_beyond(self, shard: Shard) -> bool:
        """Whether a recording is known to end before this slice of it."""
        if not self._items.groups[shard.group].sliced:
            return False
        audio = self.known_audio(shard.group)
        return audio is not None and shard.slice >= audio.slices

    def _made(self, shard: Shard, draft: Draft) -> ShardPlan:
        spoken = self._spoken(shard, draft)
        planned = [window for heard in draft.values() for window in heard.windows]
        within = {item: heard.within for item, heard in draft.items()}
        log.info("shard %s: %d windows in %d recordings", shard, len(planned), len(draft))
        return ShardPlan(
            items=tuple(
                ItemPlan(
                    samples=heard.within.stop - heard.within.start,
                    language=spoken[item].language,
                    language_probability=spoken[item].probability,
                    failure=heard.failure,
                    audio=heard.audio,
                    warnings=heard.warnings,
                )
                for item, heard in draft.items()
            ),
            batches=windowing.batches(planned, within, self._job.task.batch_size),
            whole=self._drafter.whole,
        )

    def _spoken(self, shard: Shard, draft: Draft) -> dict[int, ItemLanguage]:
        group = self._items.groups[shard.group]
        if group.sliced and not self._languages.per_slice:
            slices = partial(self._slices, shard.group)
            language = self._languages.of_sliced(shard, group.first, slices)
            return {group.first: language}
        return self._languages.of_small({item: heard.windows for item, heard in draft.items()})

    def _slices(self, group: int) -> Iterator[Sequence[Window]]:
        """The windows of each slice of a recording, one after the other."""
        for number in count():
            draft = self._draft_of(Shard(group, number))
            if draft is None:
                return
            yield next(iter(draft.values())).windows

    def _draft_of(self, shard: Shard) -> Draft | None:
        self._begin(shard)
        draft = self._drafts[shard]
        # A signal does not wait for the voice activity detector.
        while not wait([draft], timeout=_POLL_SECONDS).done:
            self._job.interruption.check()
        self._job.watchdog.sign_of_life()
        return draft.result()

    def _begin(self, shard: Shard) -> None:
        if shard not in self._drafts:
            self._drafts[shard] = self._background.submit(self._drafter.draft, shard)
