"""Long-running programs: started detached, found again by pid file, ended for certain.

There is no systemd here. A pid file holds the pid and the time at which that process started, so
that a pid the kernel has given to somebody else since is never taken for ours.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev import files
from dev.commands import environment
from dev.errors import DevError

OUR_PROGRAMS = frozenset(
    ("kube", "kube-router", "containerd", "containerd-shim-runc-v2", "docker-registry", "runc")
)
"""Only these are ever ended by what their command line says; an editor or `tail -f` is not."""


@dataclass(frozen=True)
class Processes:
    """The detached programs of one state folder."""

    state: Path

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.state / "log" / f"{name}.log"

    def start(self, name: str, argv: Sequence[str | Path]) -> None:
        """Start a program in a session of its own, so that it outlives this one."""
        log = self.log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in argv],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        files.write(self._pid_file(name), f"{process.pid} {start_time(process.pid)}\n")

    def names(self) -> list[str]:
        """Every program that was started, dead or alive."""
        return sorted(file.name for file in (self.state / "pids").glob("[!.]*"))

    def is_alive(self, name: str) -> bool:
        """Whether the program that we started, not only its pid, still runs."""
        return self._pid(name) is not None

    def check(self, name: str) -> None:
        """Raise a DevError with the end of its log when a program has died."""
        if not self.is_alive(name):
            raise DevError(f"{name} has died.{self.hint(name)}")

    def hint(self, name: str) -> str:
        """The end of a program's log, to be added to an error."""
        log = self.log(name)
        if not log.exists():
            return ""
        lines = log.read_text(errors="replace").splitlines()[-8:]
        return "\n" + "\n".join("    " + line[:300] for line in lines) + f"\n  all of it: {log}"

    def stop(self, *names: str) -> None:
        """End the named programs, all of them without names: first politely, then for certain."""
        chosen = names or tuple(self.names())
        pids = [pid for name in chosen if (pid := self._pid(name))]
        end(pids, grace=3)
        for name in chosen:
            self._pid_file(name).unlink(missing_ok=True)

    def _pid_file(self, name: str) -> Path:
        return self.state / "pids" / name

    def _pid(self, name: str) -> int | None:
        try:
            pid, started = self._pid_file(name).read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None


def start_time(pid: int) -> str | None:
    """When a process started, in the kernel's ticks since boot; None when it is dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The program's name, in parentheses, may hold spaces: count from behind it.
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else fields[19]


def end(pids: Iterable[int], grace: float) -> None:
    """End processes: SIGTERM, up to `grace` seconds, SIGKILL; return when they are gone."""
    alive = {pid: started for pid in pids if (started := start_time(pid))}
    if grace:
        _signal(alive, signal.SIGTERM)
        _wait_for_end(alive, grace)
    _signal(alive, signal.SIGKILL)
    _wait_for_end(alive, 10)


def _signal(pids: dict[int, str], number: signal.Signals) -> None:
    for pid, started in pids.items():
        if start_time(pid) == started:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _wait_for_end(pids: dict[int, str], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not any(start_time(pid) == started for pid, started in pids.items()):
            return
        time.sleep(0.05)


def strays(*folders: Path) -> list[int]:
    """Processes of our programs whose command line names one of these folders.

    Pid files can be lost (a start cut in the middle) and containerd's shims never had one.
    """
    return [
        pid
        for pid, words in _command_lines()
        if Path(words[0]).name in OUR_PROGRAMS
        and any(str(folder) in word for folder in folders for word in words)
    ]


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if line:
            yield int(entry.name), line.rstrip(b"\0").decode(errors="replace").split("\0")
