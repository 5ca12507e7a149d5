"""What is said and checked before anything is installed or made."""

import os
import shutil

from dev import network, packages
from dev.errors import DevError
from dev.paths import CACHE, RUN, TOOLS
from dev.say import say

GIB = 1 << 30
FULL_SIZE = 30 * GIB
"""Measured: image layers 8, uv 8, buildah 7 (and as much again while it builds), registry 4."""

NEEDED_ONCE_BUILT = 3 * GIB

ANNOUNCEMENT = """\
On this machine the local cluster
  - installs these Debian packages, where missing:
      {packages}
  - keeps what it builds and downloads in {cache}
      (about 30 GB in the end, {free} GB are free; nothing there is needed by anything else)
  - makes, while it runs: the bridge {bridge} ({nodes}), a network namespace and a control
      group per node (tro-node-1, tro-node-2), routes to {pods}, mounts below {run}
  - listens on {host} only: nothing outside this machine can reach it, and it can reach nothing
`make cluster-down` takes all of it away but the packages and the cache. The first start builds
Kubernetes and the images, and takes about half an hour on two cores; later ones take seconds."""


def check() -> None:
    """Refuse what cannot work, and announce what the first start will do."""
    if os.geteuid() != 0:
        raise DevError(
            "The local cluster needs root: it makes network namespaces and mounts. Use another "
            "cluster with `make demo CLUSTER=current`, or run the tests that need no cluster with "
            "`make test-unit`."
        )
    free = _free()
    is_first = not (TOOLS / "bin" / "kube").exists()
    if is_first:
        _announce(free)
    needed = FULL_SIZE - _used() if is_first else NEEDED_ONCE_BUILT
    if free < needed:
        raise DevError(
            f"Too little disk space: {free / GIB:.1f} GB are free at {CACHE}, and the cluster "
            f"needs {needed / GIB:.0f} GB more. Another folder can be chosen with XDG_CACHE_HOME."
        )


def _announce(free: int) -> None:
    text = ANNOUNCEMENT.format(
        packages=" ".join(packages.missing()) or "(none is missing)",
        cache=CACHE,
        free=free // GIB,
        bridge=network.BRIDGE,
        nodes=network.NODES_CIDR,
        pods=network.PODS_CIDR,
        run=RUN,
        host=network.HOST,
    )
    say(text)
    say()


def _free() -> int:
    CACHE.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(CACHE).free


def _used() -> int:
    """What an earlier start, cut in the middle, has already put into the cache."""
    total = 0
    for folder, _, names in os.walk(CACHE):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return min(total, FULL_SIZE - NEEDED_ONCE_BUILT)
