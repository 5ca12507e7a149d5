"""The control groups of the nodes' pods, made by hand in every hierarchy of the machine."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

PREFIX = "tro-"


def root_of(node: str) -> str:
    """The control group below which the kubelet of a node makes those of its pods."""
    return f"/{PREFIX}{node}"


def create(node: str) -> None:
    """Make a node's control group; kubelets do not make their own root."""
    for hierarchy in _hierarchies():
        (hierarchy / root_of(node)[1:]).mkdir(exist_ok=True)


def found() -> list[Path]:
    """Our control groups on this machine."""
    return [path for hierarchy in _hierarchies() for path in hierarchy.glob(f"{PREFIX}node-*")]


def processes() -> list[int]:
    """Every process in one of them: the pods', whoever started them."""
    pids: set[int] = set()
    for folder in found():
        for file in folder.rglob("cgroup.procs"):
            try:
                pids.update(int(pid) for pid in file.read_text().split())
            except OSError:  # the group, or its last process, has gone meanwhile
                continue
    return sorted(pids - {os.getpid()})


def remove() -> None:
    """Remove our control groups, the innermost first."""
    deadline = time.monotonic() + 10
    while found() and time.monotonic() < deadline:
        for root in found():
            for folder, _, _ in os.walk(root, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:  # busy for a moment after its last process has ended
                    continue
        if found():
            time.sleep(0.1)


def _hierarchies() -> Iterator[Path]:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            yield Path(where)
