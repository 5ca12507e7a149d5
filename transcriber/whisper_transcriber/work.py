"""Decoding units until every part is stored, by this worker or by another."""

import logging
import time
from collections.abc import Iterator

from whisper_transcriber.delivery import find_manifest
from whisper_transcriber.engine.gates import UnitDecoder
from whisper_transcriber.job import Job
from whisper_transcriber.manifest import Manifest
from whisper_transcriber.plan import SAMPLE_RATE, Unit
from whisper_transcriber.planner import Planner
from whisper_transcriber.shards import Part, Recipe, ShardPlan, part_names, shard_order

log = logging.getLogger(__name__)


class UnitLoop:
    """Goes through the units of all shards and leaves a stored part behind for each."""

    def __init__(self, job: Job, planner: Planner, how: Recipe, decoder: UnitDecoder) -> None:
        self._job = job
        self._planner = planner
        self._how = how
        self._decoder = decoder
        self._stored: frozenset[str] = frozenset()
        self._named: dict[int, list[tuple[str, Unit]]] = {}

    def run(self) -> Manifest | None:
        """Returns when all parts are stored; with the manifest if another worker was faster."""
        self._job.metrics.total_seconds.set(self._planner.audio.samples / SAMPLE_RATE)
        self._look_around()
        for name, unit in self._units():
            self._job.interruption.check()
            if self._has_company:
                if manifest := find_manifest(self._job.store, self._job.task):
                    return manifest
                self._look_around()
            self._do(name, unit)
        return None

    @property
    def _has_company(self) -> bool:
        return self._job.task.workers > 1

    def _units(self) -> Iterator[tuple[str, Unit]]:
        order = shard_order(self._job.worker, self._job.task.workers, self._planner.shard_count)
        for shard, from_its_end in order:
            units = self._named_units(shard, self._planner.shard(shard))
            yield from reversed(units) if from_its_end else units

    def _named_units(self, shard: int, plan: ShardPlan) -> list[tuple[str, Unit]]:
        if shard not in self._named:
            names = part_names(shard, plan, self._how)
            self._named[shard] = list(zip(names, plan.units, strict=True))
        return self._named[shard]

    def _do(self, name: str, unit: Unit) -> None:
        if name in self._stored:
            log.info("%s: stored already", name)
            self._job.metrics.units_resumed.inc()
            return
        began = time.monotonic()
        segments = self._decoder.decode(unit)
        self._job.workspace.put(name, Part(segments=tuple(segments)))
        self._job.watchdog.unit_finished()
        self._job.metrics.units_decoded.inc()
        self._now_stored(self._stored | {name})
        log.info(
            "%s: %d windows, %.0f s of audio, in %.1f s",
            name,
            len(unit.windows),
            (unit.stop - unit.start) / SAMPLE_RATE,
            time.monotonic() - began,
        )

    def _look_around(self) -> None:
        self._now_stored(self._job.workspace.parts())

    def _now_stored(self, names: frozenset[str]) -> None:
        self._stored = names
        self._job.metrics.processed_seconds.set(self._processed_samples() / SAMPLE_RATE)

    def _processed_samples(self) -> int:
        shards = {int(name.split("/")[1].split(".")[0]) for name in self._stored}
        return sum(
            unit.stop - unit.start
            for shard in shards
            if (plan := self._planner.known_shard(shard)) is not None
            for name, unit in self._named_units(shard, plan)
            if name in self._stored
        )
