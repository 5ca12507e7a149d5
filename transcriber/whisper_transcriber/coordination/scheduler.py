"""Decoding batches until every part is stored and every group delivered, by any worker."""

import logging
import time
from collections.abc import Iterator, Sequence

from whisper_transcriber.audio.windows import SAMPLE_RATE
from whisper_transcriber.coordination import names
from whisper_transcriber.coordination.claims import Claims
from whisper_transcriber.coordination.cleaning import Cleaning
from whisper_transcriber.coordination.delivery import Delivery
from whisper_transcriber.coordination.finished import DeliveredElsewhere, ManifestWatch
from whisper_transcriber.coordination.job import Job
from whisper_transcriber.coordination.layout import Items, Shard, ShardPlan
from whisper_transcriber.coordination.manifest import Manifest
from whisper_transcriber.coordination.patience import Patience
from whisper_transcriber.coordination.planner import Planner
from whisper_transcriber.coordination.progress import ProgressReporter
from whisper_transcriber.coordination.state import LOOK_SECONDS, WorkspaceState
from whisper_transcriber.coordination.transcribing import BatchTranscriber
from whisper_transcriber.errors import PlanChanged

log = logging.getLogger(__name__)

DELIVERY_SECONDS = 10.0
"""A claim to a delivery is believed for so long: it may write hundreds of files."""

HELP_SECONDS = 1.0
"""A listing this young is not repeated by a worker that helps others."""

_POLL_SECONDS = 0.5


class Scheduler:
    """Decides which batch is next, until all groups are delivered."""

    def __init__(
        self,
        job: Job,
        items: Items,
        state: WorkspaceState,
        planner: Planner,
        transcriber: BatchTranscriber,
        delivery: Delivery,
        watch: ManifestWatch,
    ) -> None:
        self._job = job
        self._items = items
        self._state = state
        self._planner = planner
        self._transcriber = transcriber
        self._delivery = delivery
        self._watch = watch
        self._claims = Claims(job.worker, job.task.workers, state)
        self._progress = ProgressReporter(job.metrics, items, state, planner)
        self._patience = Patience()
        self._cleaning = Cleaning(job.workspace, state)

    def run(self) -> Manifest | None:
        """Return when the whole job is delivered; None if another worker has the manifest."""
        try:
            self._progress.update()
            if self._has_company:
                self._claims.find_left_behind(self._worker_of)
            for shard in self._own_shards():
                self._go_through(shard, from_end=False)
            while self._help():
                pass
            while self._take_over():
                pass
            return self._finish()
        except DeliveredElsewhere:
            log.info("another worker has delivered the job")
            return None

    @property
    def _has_company(self) -> bool:
        return self._job.has_company

    def _worker_of(self, what: str) -> int | None:
        return self._job.workspace.claimed_by(
            names.claim_name(what, self._claims.attempt(what) - 1)
        )

    def _own_shards(self) -> Iterator[Shard]:
        if self._job.has_joined:
            return
        first, later = self._claims.own_first(self._items.groups)
        for position, group in enumerate(first):
            yield from self._own_shards_of(group, first[position + 1 :])
        for group in later:
            yield from self._own_shards_of(group, ())

    def _own_shards_of(self, group: int, following: Sequence[int]) -> Iterator[Shard]:
        if not self._items.groups[group].sliced:
            self._prepare_next(following)
            yield Shard(group, 0)
            return
        number, step = self._claims.own_slices(group)
        while (
            group not in self._state.delivered
            and self._planner.plan(Shard(group, number)) is not None
        ):
            self._planner.prepare(Shard(group, number + step))
            if self._planner.known_audio(group):
                self._prepare_next(following)
            yield Shard(group, number)
            number += step
        self._deliver_if_complete(group)

    def _prepare_next(self, groups: Sequence[int]) -> None:
        left = (group for group in groups if group not in self._state.delivered)
        if (group := next(left, None)) is not None:
            self._planner.prepare(Shard(group, 0))

    def _go_through(self, shard: Shard, *, from_end: bool) -> None:
        if shard.group not in self._state.delivered:
            self._work_on(shard, from_end=from_end)
        # A sliced recording has other shards, and is kept until it is delivered.
        if shard.group in self._state.delivered or not self._items.groups[shard.group].sliced:
            self._planner.release(shard.group)

    def _work_on(self, shard: Shard, *, from_end: bool) -> None:
        plan = self._planner.plan(shard)
        if plan is None:
            return
        parts = self._parts_of(shard, plan)
        if not from_end:
            self._count_resumed(parts)
        while free := self._claims.free_batches(shard, parts):
            batch = free[-1] if from_end else free[0]
            if self._claim(names.batch_claim(shard, batch)):
                self._do(shard, plan, parts, batch)
                self._look_around(HELP_SECONDS if from_end else LOOK_SECONDS)
            else:
                self._look_around(HELP_SECONDS)
            if shard.group in self._state.delivered:
                return
        self._deliver_if_complete(shard.group)

    def _help(self) -> bool:
        """One round of the others' shards; whether there was anything left to do in them."""
        if not self._has_company:
            return False
        self._look_around(HELP_SECONDS)
        shard = self._claims.most_left(self._named(), self._all_shards(ask=False))
        if shard is None:
            # Recordings of unknown length may have slices that no worker has begun with.
            self._look_around()
            shard = self._claims.most_left(self._named(), self._all_shards(ask=True))
        if shard is None:
            return False
        log.info("helping with shard %s", shard)
        self._go_through(shard, from_end=True)
        return True

    def _take_over(self) -> bool:
        """Wait for what other workers have claimed, and do what they seem to have died over;
        whether there may be more."""
        if not self._has_company:
            return False
        self._look_around()
        for shard, parts in self._named().items():
            for batch in self._claims.open_batches(parts):
                if self._is_abandoned(names.batch_claim(shard, batch)):
                    self._do_abandoned(shard, parts, batch)
                    return True
        waiting = False
        for group in range(len(self._items.groups)):
            self._deliver_if_complete(group)
            waiting = waiting or group not in self._state.delivered
        if waiting:
            self._job.interruption.wait(_POLL_SECONDS)
            self._job.watchdog.sign_of_life()
        return waiting

    def _is_abandoned(self, what: str, at_least: float = 0.0) -> bool:
        return self._claims.is_free(what) or self._patience.is_over(
            what, self._claims.attempt(what), at_least
        )

    def _do_abandoned(self, shard: Shard, parts: Sequence[str], batch: int) -> None:
        plan = self._planner.known(shard)
        assert plan is not None, "its parts are named after it"
        if self._claim(names.batch_claim(shard, batch)):
            log.info("shard %s, batch %d: taken over", shard, batch)
            self._do(shard, plan, parts, batch)

    def _finish(self) -> Manifest:
        """Write the manifest, or wait for the worker that does."""
        what = names.MANIFEST_CLAIM
        at_least = DELIVERY_SECONDS * (1 + len(self._items.groups) / 1000)
        while self._has_company:
            self._watch.look(is_ours=not self._claims.is_free(what))
            if self._is_abandoned(what, at_least) and self._claim(what):
                break
            self._job.interruption.wait(_POLL_SECONDS)
            self._job.watchdog.sign_of_life()
            self._look_around()
        return self._delivery.finish()

    def _all_shards(self, *, ask: bool) -> Iterator[Shard]:
        """Those of the groups that are not delivered; ``ask``: wait for what is not known."""
        for group in range(len(self._items.groups)):
            if group in self._state.delivered:
                continue
            found = self._planner.shards(group)
            if found is None and ask:
                self._planner.audio(group)
                found = self._planner.shards(group)
            known = (shard for shard in self._state.plans if shard.group == group)
            yield from known if found is None else found

    def _named(self) -> dict[Shard, list[str]]:
        """The names of the parts of all shards that are planned, of groups to be delivered."""
        found = {}
        for shard in sorted(self._state.plans):
            if shard.group not in self._state.delivered and (plan := self._planner.known(shard)):
                found[shard] = self._parts_of(shard, plan)
        return found

    def _parts_of(self, shard: Shard, plan: ShardPlan) -> list[str]:
        parts = self._delivery.part_names(shard, plan)
        self._progress.planned(shard, plan, parts)
        return parts

    def _claim(self, what: str) -> bool:
        """Claim something; whether it is this worker's to do now."""
        self._job.interruption.check()
        if not self._has_company:
            return True
        name = names.claim_name(what, self._claims.attempt(what))
        claimed = self._job.workspace.claim(name, self._job.worker)
        self._state.add(name)
        self._claims.took(what)
        if claimed and self._state.age > LOOK_SECONDS:
            # The job may have ended since: in a workspace that was removed, everything is free.
            self._watch.look()
        return claimed

    def _do(self, shard: Shard, plan: ShardPlan, parts: Sequence[str], number: int) -> None:
        self._job.interruption.check()
        batch, began = plan.batches[number], time.monotonic()
        self._job.watchdog.batch_begun()
        part = self._transcriber.transcribe(self._items.groups[shard.group], plan, batch)
        if self._job.workspace.create(parts[number], part):
            self._delivery.keep(parts[number], part)
        self._job.watchdog.batch_finished()
        self._job.metrics.units_decoded.inc()
        self._state.add(parts[number])
        self._progress.stored(shard.group, batch.samples)
        took = time.monotonic() - began
        self._patience.batch_took(took)
        log.info(
            "%s: %d windows, %.0f s of audio, in %.1f s",
            parts[number], len(batch.windows), batch.samples / SAMPLE_RATE, took,
        )  # fmt: skip

    def _count_resumed(self, parts: Sequence[str]) -> None:
        for name in parts:
            if name in self._state.names:
                log.info("%s: stored already", name)
                self._job.metrics.units_resumed.inc()

    def _deliver_if_complete(self, group: int) -> None:
        if group in self._state.delivered or not self._delivery.is_complete(group):
            return
        what = names.delivery_claim(group)
        if self._has_company and not (
            self._is_abandoned(what, DELIVERY_SECONDS) and self._claim(what)
        ):
            return
        self._delivery.deliver(group)
        self._planner.release(group)
        self._progress.update()
        self._cleaning.delivered(group)

    def _look_around(self, at_most_every: float = 0.0) -> None:
        self._cleaning.clean()
        if not self._has_company:
            return
        self._state.look(at_most_every=at_most_every)
        if self._state.is_gone:
            # Only a worker that has written the manifest removes the workspace.
            self._watch.look(is_ours=True)
            raise PlanChanged("the workspace was removed while the job was running")
        self._progress.update()
