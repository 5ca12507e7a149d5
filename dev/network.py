"""The cluster's network: a bridge on this machine, and a namespace with a link to it per node.

Nodes have no default route: nothing in the cluster can reach beyond this machine.
"""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.commands import run, succeeds
from dev.controlplane import SERVICE_CIDR
from dev.errors import DevError

BRIDGE = "tro0"
HOST = "172.30.0.1"
"""This machine on the bridge: the API server and the registry listen here, and nowhere else."""

NODES_CIDR = "172.30.0.0/24"
PODS_CIDR = "10.244.0.0/16"


@dataclass(frozen=True)
class Place:
    """Where a node is in the network."""

    index: int

    @property
    def namespace(self) -> str:
        """The network namespace's name."""
        return f"tro-node-{self.index}"

    @property
    def namespace_file(self) -> Path:
        """The file that stands for the namespace."""
        return Path("/run/netns") / self.namespace

    @property
    def link(self) -> str:
        """This machine's end of the node's link."""
        return f"tro-n{self.index}"

    @property
    def address(self) -> str:
        """The node's address on the bridge."""
        return f"172.30.0.{10 + self.index}"

    @property
    def pods(self) -> str:
        """The addresses of the node's pods."""
        return f"10.244.{self.index}.0/24"

    def inside(self, *argv: str | Path) -> list[str | Path]:
        """The command line that runs a program in the node's network.

        Not `ip netns exec`: that one makes a mount namespace too, and then the volumes that the
        kubelet mounts never reach containerd.
        """
        return ["nsenter", f"--net={self.namespace_file}", *argv]


def create(places: Sequence[Place]) -> None:
    """Make the bridge and every node's namespace; nothing of the kind may be left over."""
    _require_free_ranges()
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{HOST}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for place in places:
        _create_node(place, [other for other in places if other != place])


def _create_node(place: Place, others: Sequence[Place]) -> None:
    name = place.namespace
    _ip("netns", "add", name)
    _ip("link", "add", place.link, "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", place.link, "master", BRIDGE, "up")
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "address", "add", f"{place.address}/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    run(place.inside("sysctl", "-qw", "net.ipv4.ip_forward=1"))
    for other in others:
        _ip("-n", name, "route", "add", other.pods, "via", other.address)
    # A connect() to a Service's address looks for a route before kube-proxy's rules replace the
    # address: without this one it fails, though the route itself is never followed.
    _ip("-n", name, "route", "add", SERVICE_CIDR, "dev", "eth0")
    # The API server runs on this machine, and reaches pods through their node.
    _ip("route", "add", place.pods, "via", place.address)


def is_there(places: Sequence[Place]) -> bool:
    """Whether the bridge and every node's namespace and link are still there."""
    wanted = {BRIDGE, *(place.link for place in places)}
    return wanted <= set(links()) and {place.namespace for place in places} <= set(namespaces())


def remove() -> None:
    """Remove every namespace and link of ours."""
    for name in namespaces():
        _ip("netns", "delete", name)
    for name in links():
        # A node's link goes with its namespace, but the kernel takes a moment for that.
        succeeds(["ip", "link", "delete", name])


def namespaces() -> list[str]:
    """Our network namespaces on this machine."""
    return sorted(file.name for file in Path("/run/netns").glob("tro-node-*"))


def links() -> list[str]:
    """Our network links on this machine."""
    names = [file.name for file in Path("/sys/class/net").glob("tro*")]
    return sorted(name for name in names if name == BRIDGE or name.startswith("tro-n"))


def _require_free_ranges() -> None:
    ours = [ipaddress.ip_network(cidr) for cidr in (NODES_CIDR, PODS_CIDR)]
    for route in json.loads(run(["ip", "-json", "-4", "route", "show"])):
        if route["dst"] == "default":
            continue
        theirs = ipaddress.ip_network(route["dst"], strict=False)
        for network in ours:
            if network.overlaps(theirs):
                raise DevError(
                    f"The cluster needs the addresses {network}, but this machine already routes "
                    f"{theirs} to {route.get('dev', 'elsewhere')} (`ip route`)."
                )


def _ip(*words: str) -> None:
    run(["ip", *words])
