"""A control plane for as long as somebody needs one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.controlplane import ControlPlane
from tests.ports import free_ports


@contextmanager
def running_plane(folder: Path) -> Iterator[ControlPlane]:
    """On ports of its own."""
    etcd, _peer, api = free_ports(3)
    plane = ControlPlane(folder, etcd_port=etcd, api_port=api)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
