"""A shell in a terminal, by tmux: what a person types there, and what the screen shows."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dev.commands import run, wait_until
from dev.errors import DevError
from dev.screencast import Frame

COLUMNS, ROWS = 100, 30

# The shell by which tmux starts it forgets a prompt that it inherits.
SHELL = "export PS1='$ '; exec bash --norc --noprofile"


class Terminal:
    """One window of one tmux server of its own; ``frames`` has every screen that was looked at."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._server = f"transcription-operator-{os.getpid()}"
        self._ends = folder / "exit-codes"
        self._environment = {
            **environment,
            "PROMPT_COMMAND": f"echo $? >> {self._ends}",
            "HISTFILE": os.devnull,
        }
        self._folder = folder
        self.frames: list[Frame] = []

    def __enter__(self) -> "Terminal":
        size = ("-x", str(COLUMNS), "-y", str(ROWS), "-c", str(self._folder))
        self._tmux("-f", os.devnull, "new-session", "-d", *size, SHELL)
        wait_until("the shell asks for a command", lambda: len(self._codes()) == 1, timeout=20)
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def run(self, command: str, timeout: float, interrupt_at: str = "") -> int:
        """Type a command and wait until it has ended; its exit code.

        ``interrupt_at``: press Ctrl-C when the command has shown this.
        """
        before = len(self._codes())
        shown = self.history().count(interrupt_at)
        for line in command.splitlines():
            self._tmux("send-keys", "-l", line)
            self._tmux("send-keys", "Enter")
        if interrupt_at:
            self._wait(interrupt_at, lambda: self.history().count(interrupt_at) > shown, timeout)
            self._tmux("send-keys", "C-c")
        self._wait(f"the end of {command}", lambda: len(self._codes()) > before, timeout)
        return self._codes()[-1]

    def look(self) -> str:
        """What the screen shows now."""
        screen = self._tmux("capture-pane", "-p")
        if not self.frames or self.frames[-1][1] != screen:
            self.frames.append((time.monotonic(), screen))
        return screen

    def history(self) -> str:
        """All that was shown, without the breaks of lines that were too long for the screen."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")

    def _wait(self, what: str, condition: Callable[[], bool], timeout: float) -> None:
        def holds() -> bool:
            self.look()
            return condition()

        try:
            wait_until(what, holds, timeout=timeout)
        except DevError as error:
            raise DevError(f"{error} The screen shows:\n{self.look()}") from error
        self.look()

    def _codes(self) -> list[int]:
        if not self._ends.exists():
            return []
        return [int(line) for line in self._ends.read_text().split()]

    def _tmux(self, *words: str) -> str:
        return run(["tmux", "-L", self._server, *words], env=self._environment, timeout=30)
