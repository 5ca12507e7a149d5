"""Processes of the cluster's pods, which this machine's kernel runs like its own."""

import os
import signal
from contextlib import suppress
from pathlib import Path


def pids_of_module(module: str, environment: str = "") -> list[int]:
    """Processes that run ``python -m module`` with a text somewhere in their environment."""
    wanted = ["-m", module]
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _runs(folder, wanted, environment)
    ]


def kill(pids: list[int]) -> None:
    """SIGKILL; one that has ended meanwhile is as good."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _runs(folder: Path, wanted: list[str], environment: str) -> bool:
    try:
        words = (folder / "cmdline").read_text().split("\0")
        return words[1:3] == wanted and environment in (folder / "environ").read_text()
    except (OSError, UnicodeDecodeError):
        return False
