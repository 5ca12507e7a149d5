"""What the workspace holds, as one worker knows it: fed by listings, and by what it stores itself.

Nothing is read to find out that it is missing: its name is not in the listing.
"""

import math
import time
from collections.abc import Callable, Iterable

from whisper_transcriber.coordination.layout import Shard
from whisper_transcriber.coordination.names import (
    DELIVERED,
    ITEMS,
    Mark,
    batch_of,
    claim_of,
    group_folder,
    shard_of,
)
from whisper_transcriber.coordination.workspace import Workspace

LOOK_SECONDS = 10.0
"""A listing this young is not repeated while a worker has work of its own."""

LISTING_SHARE = 20.0
"""Listings take at most this fraction of the time: one that takes 1 s is good for 20 s."""

DELIVERED_SECONDS = 20.0
"""What others have delivered changes more slowly than what they are doing."""

SKEW_MILLISECONDS = 20_000
"""Difference of two workers' clocks from which one sees late what the other has delivered."""

LATE_MILLISECONDS = 600_000
"""How much later than its name says a delivered group may appear: the clocks differ, or the store
failed for minutes. What appears later than that is missed."""


class WorkspaceState:
    """One worker's view of the workspace.

    ``names``: of everything that is stored, except for ``delivered/`` and the groups before the
    first one that is not delivered: they are not listed any more. ``delivered``: by group, the
    marks of those whose transcripts are in their places; ``marks``: the same as they became known.
    ``plans``: the shards that are planned.
    ``claims``: how many times a batch, a delivery or the manifest has been claimed.
    """

    def __init__(self, workspace: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._clock = clock
        self._listed_at: float | None = None
        self._took = 0.0
        self._seen_until = 0
        self._seen_late = 0
        self._first_open = 0
        self.looks = 0
        self.names: set[str] = set()
        self.marks: list[Mark] = []
        self.delivered: dict[int, Mark] = {}
        self.plans: set[Shard] = set()
        self.claims: dict[str, int] = {}

    @property
    def is_gone(self) -> bool:
        """Whether the workspace has been removed, since the job is finished."""
        return ITEMS not in self.names

    @property
    def age(self) -> float:
        """Seconds since the last listing."""
        return math.inf if self._listed_at is None else self._clock() - self._listed_at

    def look(self, *, at_most_every: float = 0.0) -> None:
        """List what has changed, unless the last listing is recent.

        Args:
            at_most_every: in seconds. Listings that take long are rarer.
        """
        allowed = max(at_most_every, LISTING_SHARE * self._took) if at_most_every else 0.0
        if self.age < allowed:
            return
        began = self._clock()
        # Delivered groups come second: what is removed after a delivery is never missed.
        active = self._workspace.names(after=group_folder(self._first_open))
        self._look_at_delivered(DELIVERED_SECONDS if at_most_every else 0.0)
        self._listed_at = self._clock()
        self._took = self._listed_at - began
        self.take_note(active)

    def take_note(self, names: Iterable[str]) -> None:
        """Replace what is known by these names of a whole listing."""
        self.looks += 1
        self.names, self.plans, self.claims = set(), set(), {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Take note of a name that is stored."""
        if name.startswith(DELIVERED):
            self._add_mark(Mark.parse(name))
            return
        self.names.add(name)
        if shard := shard_of(name):
            self.plans.add(shard)
        elif claim := claim_of(name):
            what, attempt = claim
            self.claims[what] = max(self.claims.get(what, 0), attempt + 1)

    def unfinished_claims(self) -> list[str]:
        """What has been claimed, with no part stored for it: being done, or left by the dead."""
        done = {batch_of(name) for name in self.names}
        return [what for what in self.claims if what not in done]

    def _add_mark(self, mark: Mark) -> None:
        if mark.group not in self.delivered:
            self.delivered[mark.group] = mark
            self.marks.append(mark)
        while self._first_open in self.delivered:
            self._first_open += 1

    def _look_at_delivered(self, at_most_every: float) -> None:
        now = round(time.time() * 1000)
        if self._seen_until and now - self._seen_until < 1000 * at_most_every:
            return
        reach = SKEW_MILLISECONDS
        if now - self._seen_late >= 1000 * DELIVERED_SECONDS:
            reach, self._seen_late = LATE_MILLISECONDS, now
        since = max(0, self._seen_until - reach)
        for name in self._workspace.names(DELIVERED, after=f"{DELIVERED}{since:013}"):
            self.add(name)
        self._seen_until = now
