"""What is known of the batches: which are stored, and who is at which. Pure.

A worker goes through its own shards from the front and, when they are done, through the others'
from the end, where their owners come last. Claims keep two from doing the same batch; they are
hints that may be late, missing, or left by the dead, and doing a batch twice is harmless.
"""

from collections.abc import Iterable, Mapping, Sequence

from whisper_transcriber.coordination.layout import Group, Shard

_UNPLANNED_BATCHES = 1000
"""A shard that nobody has begun with has more to do than any other."""


class Claims:
    """One worker's view.

    ``names``: of all that the workspace holds, as shards.py has them. ``planned``: the shards whose
    plans are among it.
    """

    def __init__(self, worker: int, workers: int) -> None:
        self._worker = worker
        self._workers = workers
        self.names: frozenset[str] = frozenset()
        self._claims: dict[tuple[Shard, int], set[int]] = {}
        self.planned: frozenset[Shard] = frozenset()

    def look(self, names: frozenset[str]) -> None:
        """Take note of what the workspace holds now."""
        self.names = names
        self._claims = {}
        for name in names:
            if name.startswith("claims/"):
                group, number, batch, worker = map(int, name.split("/")[1].split("."))
                self._claims.setdefault((Shard(group, number), batch), set()).add(worker)
        self.planned = frozenset(_shard(name) for name in names if name.startswith("shards/"))

    def add(self, name: str) -> None:
        """Take note of what this worker stored."""
        self.names |= {name}

    def open_batches(self, parts: Sequence[str]) -> list[int]:
        """The batches of a shard, of which ``parts`` are the names, that are not stored."""
        return [batch for batch, name in enumerate(parts) if name not in self.names]

    def free_batches(self, shard: Shard, parts: Sequence[str]) -> list[int]:
        """Those that no other worker is at, either."""
        return [
            batch
            for batch in self.open_batches(parts)
            if not self._claims.get((shard, batch), set()) - {self._worker}
        ]

    def may_do(self, shard: Shard, batch: int) -> bool:
        """Whether no worker with a lower number has claimed a batch that this one has claimed."""
        return min(self._claims.get((shard, batch), {self._worker})) >= self._worker

    def owns(self, shard: Shard) -> bool:
        """Whether the shard is this worker's to begin with."""
        return shard.owner(self._workers) == self._worker

    def most_left(
        self, named: Mapping[Shard, Sequence[str]], all_shards: Iterable[Shard]
    ) -> Shard | None:
        """The shard that most needs help: the most free batches for each worker that is at it.

        Args:
            named: the names of the parts of each shard that is planned.
            all_shards: every shard that there is, as far as known.
        """
        best: tuple[float, int] | None = None
        chosen: Shard | None = None
        for shard in all_shards:
            left = self._left(shard, named)
            rank = (left, -self._distance(shard))
            if left and (best is None or rank > best):
                best, chosen = rank, shard
        return chosen

    def own_first(self, groups: Sequence[Group]) -> tuple[list[int], list[int]]:
        """The groups whose first slice is this worker's, and the sliced ones of which only later
        slices may be: how many these have shows when their owners have decoded them."""
        first = [number for number in range(len(groups)) if self.owns(Shard(number, 0))]
        later = [
            number
            for number, group in enumerate(groups)
            if group.sliced and self._workers > 1 and not self.owns(Shard(number, 0))
        ]
        return first, later

    def own_slices(self, group: int) -> tuple[int, int]:
        """The first slice of a sliced group that is this worker's, and the step to the next."""
        return (self._worker - group) % self._workers, self._workers

    def _left(self, shard: Shard, named: Mapping[Shard, Sequence[str]]) -> float:
        if shard not in named:
            return _UNPLANNED_BATCHES
        free = len(self.free_batches(shard, named[shard]))
        return free / (1 + len(self.open_batches(named[shard])) - free)

    def _distance(self, shard: Shard) -> int:
        """Different for each worker, so that not all help the same one."""
        return (shard.owner(self._workers) - self._worker) % self._workers


def _shard(name: str) -> Shard:
    group, number = name.removeprefix("shards/").removesuffix(".json").split(".")
    return Shard(int(group), int(number))
