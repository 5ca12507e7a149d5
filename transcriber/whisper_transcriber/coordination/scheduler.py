"""Decoding batches until every part is stored and every group delivered, by any worker."""

import logging
import statistics
import time
from collections.abc import Iterator, Sequence

from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination.claims import Claims
from whisper_transcriber.coordination.delivery import DeliveredElsewhere, Delivery, find_manifest
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import (
    Items,
    Shard,
    ShardPlan,
    claim_name,
    delivered_name,
)
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.progress import ProgressReporter
from whisper_transcriber.coordination.transcribing import BatchTranscriber

log = logging.getLogger(__name__)

CLAIM_BATCHES = 2.0
CLAIM_SECONDS = 2.0
"""When nothing else is left, another's claim is believed for so long, or so many batches' time."""

_POLL_SECONDS = 0.25


class Scheduler:
    """Goes through the batches of all shards and leaves a stored part behind for each."""

    def __init__(
        self,
        job: Job,
        items: Items,
        planner: Planner,
        transcriber: BatchTranscriber,
        delivery: Delivery,
    ) -> None:
        self._job = job
        self._items = items
        self._planner = planner
        self._transcriber = transcriber
        self._delivery = delivery
        self._claims = Claims(job.worker, job.task.workers)
        self._score = ProgressReporter(job.metrics, items, planner, delivery)
        self._took: list[float] = []

    def run(self) -> Manifest:
        """Returns when the whole job is delivered, by whomever."""
        try:
            self._look()
            for shard in self._own_shards():
                self._go_through(shard, from_end=False)
            while self._help():
                pass
            while self._take_over():
                pass
            return self._delivery.finish(self._claims.names)
        except DeliveredElsewhere as elsewhere:
            return elsewhere.manifest

    @property
    def _has_company(self) -> bool:
        return self._job.task.workers > 1

    def _own_shards(self) -> Iterator[Shard]:
        first, later = self._claims.own_first(self._items.groups)
        for position, group in enumerate(first):
            following = first[position + 1] if position + 1 < len(first) else None
            yield from self._own_shards_of(group, following)
        for group in later:
            yield from self._own_shards_of(group, None)

    def _own_shards_of(self, group: int, following: int | None) -> Iterator[Shard]:
        if not self._items.groups[group].sliced:
            self._prepare(following)
            yield Shard(group, 0)
            return
        number, step = self._claims.own_slices(group)
        while self._planner.plan(Shard(group, number)) is not None:
            self._planner.prepare(Shard(group, number + step))
            if self._planner.known_audio(group):
                self._prepare(following)
            yield Shard(group, number)
            number += step
        self._deliver_if_complete(group)

    def _prepare(self, group: int | None) -> None:
        if group is not None and delivered_name(group) not in self._claims.names:
            self._planner.prepare(Shard(group, 0))

    def _go_through(self, shard: Shard, *, from_end: bool) -> None:
        if delivered_name(shard.group) not in self._claims.names:
            self._work_on(shard, from_end=from_end)
        # A sliced recording has other shards, and is kept until it is delivered.
        if not self._items.groups[shard.group].sliced:
            self._planner.release(shard.group)

    def _work_on(self, shard: Shard, *, from_end: bool) -> None:
        plan = self._planner.plan(shard)
        if plan is None:
            return
        parts = self._delivery.part_names(shard, plan)
        if not from_end:
            self._count_resumed(parts)
        while free := self._claims.free_batches(shard, parts):
            batch = free[-1] if from_end else free[0]
            if self._claim(shard, batch, parts[batch]):
                self._do(shard, plan, parts, batch)
                self._look_around()
        self._deliver_if_complete(shard.group)

    def _help(self) -> bool:
        """One round of the others' shards; whether there was anything left to do in them."""
        if not self._has_company:
            return False
        self._look_around()
        shard = self._claims.most_left(self._named(), self._all_shards(ask=False))
        if shard is None:
            # Recordings whose length nobody has told yet may have slices that nobody is at.
            shard = self._claims.most_left(self._named(), self._all_shards(ask=True))
        if shard is None:
            return False
        log.info("helping with shard %s", shard)
        self._go_through(shard, from_end=True)
        return True

    def _take_over(self) -> bool:
        """The batches that others claimed and have not stored: waits for them, then does them."""
        if not self._has_company:
            return False
        usual = statistics.median(self._took) if self._took else CLAIM_SECONDS
        deadline = time.monotonic() + max(CLAIM_SECONDS, CLAIM_BATCHES * usual)
        while (left := self._left_over()) and time.monotonic() < deadline:
            self._job.interruption.wait(_POLL_SECONDS)
            self._job.watchdog.sign_of_life()
            self._look_around()
        if left is None:
            return False
        shard, batch = left
        log.info("shard %s, batch %d: taken over", shard, batch)
        plan = self._planner.plan(shard)
        assert plan is not None, "it has been planned: its batches are known"
        self._do(shard, plan, self._delivery.part_names(shard, plan), batch)
        self._look_around()
        self._deliver_if_complete(shard.group)
        return True

    def _left_over(self) -> tuple[Shard, int] | None:
        """An open batch, the last one for odd workers: two of them need not take the same."""
        batches = [
            (shard, batch)
            for shard, parts in self._named().items()
            if delivered_name(shard.group) not in self._claims.names
            for batch in self._claims.open_batches(parts)
        ]
        return batches[-(self._job.worker % 2)] if batches else None

    def _all_shards(self, *, ask: bool) -> Iterator[Shard]:
        """Those of the groups that are not delivered; ``ask``: wait for what is not known."""
        for group in range(len(self._items.groups)):
            if delivered_name(group) in self._claims.names:
                continue
            found = self._planner.shards(group)
            if found is None and ask:
                self._planner.audio(group)
                found = self._planner.shards(group)
            known = (shard for shard in self._claims.planned if shard.group == group)
            yield from known if found is None else found

    def _named(self) -> dict[Shard, list[str]]:
        for shard in self._claims.planned:
            self._planner.known(shard)
        return {
            shard: self._delivery.part_names(shard, plan)
            for shard, plan in self._planner.planned().items()
        }

    def _claim(self, shard: Shard, batch: int, part: str) -> bool:
        """Tell the others who is at a batch; whether it is for this worker to do."""
        self._job.interruption.check()
        if not self._has_company:
            return True
        self._job.workspace.mark(claim_name(shard, batch, self._job.worker))
        # Looked for after the claim is there, so that of two at once at least one sees the other.
        self._look_around()
        return part not in self._claims.names and self._claims.may_do(shard, batch)

    def _do(self, shard: Shard, plan: ShardPlan, parts: Sequence[str], number: int) -> None:
        self._job.interruption.check()
        batch, began = plan.batches[number], time.monotonic()
        self._job.watchdog.batch_begun()
        part = self._transcriber.transcribe(self._items.groups[shard.group], plan, batch)
        self._job.workspace.put(parts[number], part)
        self._job.watchdog.batch_finished()
        self._job.metrics.units_decoded.inc()
        self._claims.add(parts[number])
        self._score.update(self._claims.names)
        self._took.append(time.monotonic() - began)
        log.info(
            "%s: %d windows, %.0f s of audio, in %.1f s",
            parts[number], len(batch.windows), batch.samples / SAMPLE_RATE, self._took[-1],
        )  # fmt: skip

    def _count_resumed(self, parts: Sequence[str]) -> None:
        for name in parts:
            if name in self._claims.names:
                log.info("%s: stored already", name)
                self._job.metrics.units_resumed.inc()

    def _deliver_if_complete(self, group: int) -> None:
        if delivered_name(group) in self._claims.names:
            return
        if self._delivery.is_complete(group, self._claims.names):
            self._delivery.deliver(group)
            self._claims.add(delivered_name(group))
            self._planner.release(group)
            self._score.update(self._claims.names)

    def _look_around(self) -> None:
        if not self._has_company:
            return
        if manifest := find_manifest(self._job.store, self._job.task):
            raise DeliveredElsewhere(manifest)
        self._look()

    def _look(self) -> None:
        self._claims.look(self._job.workspace.names())
        self._score.update(self._claims.names)
