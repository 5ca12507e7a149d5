"""Which batch a worker does next, and its claim to it.

A worker goes through its own shards from the front and, when they are done, through the others'
from the end, where their owners come last. A claim is a conditional write, so that only one worker
has it. The claim of a worker that died is taken over by the next attempt.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from whisper_transcriber.coordination.layout import Group, Shard
from whisper_transcriber.coordination.names import batch_claim
from whisper_transcriber.coordination.state import WorkspaceState

_UNPLANNED_BATCHES = 1000
"""A shard that nobody has begun with has more to do than any other."""

_Rank = tuple[float, int, Shard]


class Claims:
    """One worker's choices, from what the workspace holds."""

    def __init__(self, worker: int, workers: int, state: WorkspaceState) -> None:
        self._worker = worker
        self._workers = workers
        self._state = state
        self._left_behind: set[str] = set()

    def find_left_behind(self, worker_of: Callable[[str], int | None]) -> None:
        """Find what this worker had claimed before it was restarted: it is free.

        Args:
            worker_of: reads who has a claim, by what is claimed.
        """
        unfinished = self._state.unfinished_claims()
        self._left_behind = {what for what in unfinished if worker_of(what) == self._worker}

    def attempt(self, what: str) -> int:
        """The number of the next attempt to claim something."""
        return self._state.claims.get(what, 0)

    def took(self, what: str) -> None:
        """Take note of an attempt of this worker."""
        self._left_behind.discard(what)

    def is_free(self, what: str) -> bool:
        """Whether no worker has a claim to it."""
        return what in self._left_behind or what not in self._state.claims

    def open_batches(self, parts: Sequence[str]) -> list[int]:
        """The batches of a shard, of which ``parts`` are the names, that are not stored."""
        return [batch for batch, name in enumerate(parts) if name not in self._state.names]

    def free_batches(self, shard: Shard, parts: Sequence[str]) -> list[int]:
        """Those that no worker has claimed, either."""
        return [batch for batch in self.open_batches(parts)
                if self.is_free(batch_claim(shard, batch))]  # fmt: skip

    def owns(self, shard: Shard) -> bool:
        """Whether the shard is this worker's to begin with."""
        return shard.owner(self._workers) == self._worker

    def most_left(
        self, named: Mapping[Shard, Sequence[str]], all_shards: Iterable[Shard]
    ) -> Shard | None:
        """The shard that most needs help: the most free batches for each worker that is at it.

        Of equal ones, each worker takes another owner's, and of an owner's the last.

        Args:
            named: the names of the parts of each shard that is planned.
            all_shards: every shard that there is, as far as known.
        """
        ranks: list[_Rank] = []
        for shard in all_shards:
            if left := self._left(shard, named):
                ranks.append((left, -self._distance(shard), shard))
        return max(ranks)[2] if ranks else None

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
