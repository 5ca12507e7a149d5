"""Taking the cluster away, whatever state it is in, and looking that nothing is left of it."""

import shutil
from contextlib import suppress
from pathlib import Path

from dev import buildah, cgroups, network
from dev.commands import run
from dev.errors import DevError
from dev.paths import CACHE, CONTROL_PLANE, LAYERS, RUN, STATE
from dev.processes import Processes, end, start_time, strays

CNI_RESULTS = Path("/var/lib/cni/results")
"""Where the CNI library keeps a note for each pod; the place cannot be chosen."""

DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
"""Where every kubelet listens for device plugins; the place cannot be chosen."""

SHIM_SOCKETS = Path("/run/containerd/s")
"""Where containerd's shims listen, whichever containerd of this machine they belong to."""


def take_down() -> None:
    """End, unmount and remove all that a cluster has made, except the caches.

    Works from what is found on the machine, not from what ought to be there: after a crash, or
    when everything was killed at once, only half of it is.
    """
    sockets = _shim_sockets()
    for state in (STATE, CONTROL_PLANE):
        Processes(state).stop()
    _end_everything()
    for mount in mounts():
        run(["umount", "--lazy", mount])
    network.remove()
    cgroups.remove()
    for file in (*sockets, *_notes()):
        file.unlink(missing_ok=True)
    for folder in (RUN, STATE):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (CNI_RESULTS, CNI_RESULTS.parent, DEVICE_PLUGINS, DEVICE_PLUGINS.parent):
        _remove_if_empty(folder)
    left = leftovers()
    if left:
        raise DevError("These are still there:\n" + "\n".join(f"    {thing}" for thing in left))


def leftovers() -> list[str]:
    """All that is left of a cluster on this machine, in words; nothing, when it is down."""
    left = [f"process {pid}" for pid in [*strays(STATE, RUN), *cgroups.processes()]]
    left += [f"mount {mount}" for mount in mounts()]
    left += [f"network namespace {name}" for name in network.namespaces()]
    left += [f"network link {name}" for name in network.links()]
    left += [f"control group {path}" for path in cgroups.found()]
    left += [f"file {file}" for file in _notes()]
    left += [f"folder {folder}" for folder in (RUN, STATE) if folder.exists()]
    return left


def mounts() -> list[str]:
    """Mount points below our folders, the innermost first."""
    ours = tuple(f"{folder}/" for folder in (RUN, STATE, LAYERS, buildah.STORE, buildah.SCRATCH))
    found = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    # The kernel writes a blank in a path as \040.
    return sorted((p for p in (_plain(name) for name in found) if p.startswith(ours)), reverse=True)


def _plain(path: str) -> str:
    return path.replace("\\040", " ")


def _end_everything() -> None:
    """End shims, containers and what else has no pid file; some start others while they end."""
    for _ in range(5):
        pids = {*strays(STATE, RUN), *cgroups.processes()}
        alive = [pid for pid in pids if start_time(pid)]
        if not alive:
            return
        end(alive, grace=0)


def _shim_sockets() -> list[Path]:
    """The sockets of our shims; each bundle of a container names its own."""
    found = []
    for file in RUN.glob("node-*/containerd/io.containerd.runtime.v2.task/*/*/address"):
        socket = Path(file.read_text().strip().removeprefix("unix://"))
        if socket.parent == SHIM_SOCKETS:
            found.append(socket)
    return found


def _notes() -> list[Path]:
    """Files of ours in folders that other programs use too."""
    ours = str(RUN).encode()
    results = [file for file in CNI_RESULTS.glob("*") if ours in file.read_bytes()]
    # With a kubelet of the machine's own, the socket is that one's.
    socket = DEVICE_PLUGINS / "kubelet.sock"
    is_ours = socket.exists() and not (DEVICE_PLUGINS.parent / "config.yaml").exists()
    return [*results, *([socket] if is_ours else [])]


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def clean_cache() -> None:
    """Take the cluster down and delete the cache folder with all that took long to make."""
    take_down()
    shutil.rmtree(CACHE, ignore_errors=True)
