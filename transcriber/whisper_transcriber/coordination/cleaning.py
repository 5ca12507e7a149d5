"""Removing what a delivered group leaves in the workspace, so that listings stay short."""

import time
from collections import deque
from collections.abc import Callable

from whisper_transcriber.coordination.names import group_of
from whisper_transcriber.coordination.state import WorkspaceState
from whisper_transcriber.coordination.workspace import Workspace

CLEAN_SECONDS = 60.0
"""Later than any other worker needs to see that the group is delivered."""

_MANY = 500
"""Names that are worth a request of their own."""


class Cleaning:
    """Removes the plans, claims and parts of what this worker has delivered, a while later."""

    def __init__(
        self,
        workspace: Workspace,
        state: WorkspaceState,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspace = workspace
        self._state = state
        self._clock = clock
        self._due: deque[tuple[float, int]] = deque()

    def delivered(self, group: int) -> None:
        """Remove what belongs to a group, later."""
        self._due.append((self._clock() + CLEAN_SECONDS, group))

    def clean(self) -> None:
        """Remove what is due, if it is worth a request."""
        if not self._due or self._due[0][0] > self._clock():
            return
        now = self._clock()
        groups = {group for due, group in self._due if due <= now}
        gone = [name for name in self._state.names if group_of(name) in groups]
        if len(gone) < _MANY and now - self._due[0][0] < CLEAN_SECONDS:
            return
        self._workspace.remove(gone)
        self._state.names.difference_update(gone)
        while self._due and self._due[0][0] <= now:
            self._due.popleft()
