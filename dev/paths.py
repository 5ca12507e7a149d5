"""Where things are, on this machine and in the checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

DEV = ROOT / "dev"
MANIFESTS = DEV / "manifests"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transcription-operator"
"""All that is slow to make, keyed by version or content: safe to delete, never needed to be."""

STATE = CACHE / "cluster"
"""The running cluster: keys, etcd, the store's data, logs, pid files. Gone after cluster-down."""

RUN = Path("/run/transcription-operator")
"""Sockets and mounts of the running cluster: a short path, since sockets have at most 107 bytes."""

LAYERS = CACHE / "containerd"
"""Image layers of each node, kept between clusters: pulling them again takes minutes."""

TOOLS = CACHE / "tools"
BIN = TOOLS / "bin"
"""The folder that `make tools` prints: kubectl, helm, kwok and what the cluster runs."""

CONTROL_PLANE = STATE / "control-plane"
"""The keys, logs and pid files of the API server and its companions."""

KUBECONFIG = CONTROL_PLANE / "kubeconfig"
"""The administrator's way into the cluster; `make kubeconfig` prints this path."""
