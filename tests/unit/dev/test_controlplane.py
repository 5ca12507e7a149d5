import socket

import pytest

from dev.controlplane import ControlPlane
from dev.errors import DevError


def test_a_port_that_another_program_has_is_named_before_anything_starts(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(DevError, match=f"Port {port} of 127.0.0.1"):
            ControlPlane(tmp_path, etcd_port=port).start()


def test_two_control_planes_share_nothing(tmp_path):
    first = ControlPlane(tmp_path / "a")
    second = ControlPlane(tmp_path / "b", etcd_port=3379, api_port=7443)
    assert first.kubeconfig != second.kubeconfig
    assert first.processes.log("etcd") != second.processes.log("etcd")
