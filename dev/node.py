"""A node of the cluster: containerd, kubelet and kube-proxy in a network namespace."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from dev import cgroups, files
from dev.commands import run, succeeds, wait_until
from dev.controlplane import ControlPlane
from dev.gotools import KUBE
from dev.network import HOST, PODS_CIDR, Place
from dev.paths import DEV, LAYERS, RUN, STATE
from dev.processes import Processes
from dev.registry import PORT as REGISTRY_PORT

TEMPLATES = DEV / "manifests" / "node"
GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Node:
    """One node, of one pool; `gpus` are advertised, not there: what asks for one is scheduled."""

    index: int
    pool: str
    gpus: int = 0

    @property
    def name(self) -> str:
        """The Node object's name."""
        return f"node-{self.index}"

    @property
    def place(self) -> Place:
        """Where it is in the network."""
        return Place(self.index)

    @property
    def folder(self) -> Path:
        """The node's files."""
        return STATE / self.name

    @property
    def run_folder(self) -> Path:
        """The node's sockets and mounts."""
        return RUN / self.name

    @property
    def socket(self) -> Path:
        """containerd's socket."""
        return self.run_folder / "containerd.sock"

    @property
    def processes(self) -> Processes:
        """The node's programs, kept with the cluster's."""
        return Processes(STATE)

    @property
    def process_names(self) -> list[str]:
        """What runs when the node is up."""
        return [f"{program}-{self.index}" for program in ("containerd", "kubelet", "kube-proxy")]

    def start_containerd(self, sandbox_image: str) -> None:
        """Start containerd on the image layers of earlier clusters, without their containers."""
        self._write_files(sandbox_image)
        self._launch_containerd()
        leftovers = self.ctr("containers", "list", "--quiet").split()
        if leftovers:
            # They belong to pods of a cluster that is gone. containerd has read them into its
            # memory, so it has to start once more.
            self.ctr("containers", "delete", *leftovers)
            self.processes.stop(f"containerd-{self.index}")
            self._launch_containerd()

    def start_kubelet(self, control_plane: ControlPlane) -> None:
        """Start the kubelet and kube-proxy."""
        cgroups.create(self.name)
        kubeconfig = control_plane.kubelet_kubeconfig(self.name)
        taints = f"[{{key: {GPU}, value: present, effect: NoSchedule}}]" if self.gpus else "[]"
        self._render("kubelet.yaml", TAINTS=taints, CLIENT_CA=control_plane.pki / "ca.crt")
        self._render("kube-proxy.yaml", KUBECONFIG=control_plane.proxy_kubeconfig())
        kubelet: list[str | Path] = [
            *(KUBE, "kubelet", "--config", self.folder / "kubelet.yaml"),
            *("--kubeconfig", kubeconfig, "--hostname-override", self.name),
            *("--node-ip", self.place.address, "--root-dir", self.folder / "kubelet"),
            # Two kubelets on one machine delete each other's files wherever they share a folder.
            *("--cert-dir", self.folder / "kubelet-pki"),
            *("--node-labels", f"transcription.dev/node-pool={self.pool}"),
        ]
        proxy: list[str | Path] = [
            *(KUBE, "kube-proxy", "--config", self.folder / "kube-proxy.yaml"),
            *("--hostname-override", self.name),
        ]
        self.processes.start(f"kubelet-{self.index}", self.place.inside(*kubelet))
        self.processes.start(f"kube-proxy-{self.index}", self.place.inside(*proxy))

    def wait_until_ready(self, control_plane: ControlPlane) -> None:
        """Wait for the node's Ready condition, then advertise its GPUs."""
        kubelet = f"kubelet-{self.index}"

        def ready() -> bool:
            self.processes.check(kubelet)
            return self.is_ready(control_plane)

        hint = f"See {self.processes.log(kubelet)}."
        wait_until(f"{self.name} is ready", ready, timeout=90, hint=hint)
        self.advertise_gpus(control_plane)

    def is_ready(self, control_plane: ControlPlane) -> bool:
        """What the Node object says."""
        path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        node = ("get", "node", self.name, "--ignore-not-found", "-o", path)
        return control_plane.kubectl(*node).strip() == "True"

    def advertise_gpus(self, control_plane: ControlPlane) -> None:
        """Say in the Node's status that it has GPUs; a kubelet that restarts takes that back."""
        if not self.gpus:
            return
        kubectl = control_plane.kubectl
        status = kubectl.json("get", "node", self.name)["status"]
        if status["allocatable"].get(GPU) == str(self.gpus):
            return
        values = {"capacity": {GPU: str(self.gpus)}, "allocatable": {GPU: str(self.gpus)}}
        patch = ("--type=merge", "--patch", json.dumps({"status": values}))
        kubectl("patch", "node", self.name, "--subresource=status", *patch)

    def ctr(self, *arguments: str) -> str:
        """Talk to the node's containerd, in the namespace that the kubelet uses."""
        return run(["ctr", "--address", self.socket, "--namespace", "k8s.io", *arguments])

    def forget_images(self, repository: str, but: str) -> None:
        """Delete a repository's images, except the one named `but`, and with them their layers."""
        rows = [line.split() for line in self.ctr("images", "list").splitlines()[1:]]
        digests = {name: digest for name, _, digest, *_ in rows}
        # An image has three names: with its tag, with its digest, and the digest of its settings.
        ours = (f"{repository}:", f"{repository}@")
        old = {digest for name, digest in digests.items() if name.startswith(ours)}
        old.discard(digests.get(but, ""))
        names = [name for name, digest in digests.items() if digest in old]
        if names:
            self.ctr("images", "delete", *names)

    def _launch_containerd(self) -> None:
        name = f"containerd-{self.index}"
        config = self.folder / "containerd.toml"
        self.processes.start(name, self.place.inside("containerd", "--config", config))

        def answers() -> bool:
            self.processes.check(name)
            return succeeds(["ctr", "--address", self.socket, "version"])

        wait_until(f"{name} answers", answers, timeout=60, hint=f"See {self.processes.log(name)}.")

    def _write_files(self, sandbox_image: str) -> None:
        self.run_folder.mkdir(parents=True, exist_ok=True)
        layers = LAYERS / self.name
        # Bundles of containers whose processes died with the last cluster.
        shutil.rmtree(layers / "io.containerd.runtime.v2.task", ignore_errors=True)
        self._render("containerd.toml", LAYERS=layers, SANDBOX_IMAGE=sandbox_image)
        self._render("cni/10-ptp.conflist")
        # Nodes have nobody to ask for names outside the cluster.
        files.write(self.folder / "resolv.conf", "nameserver 127.0.0.1\n")

    def _render(self, name: str, **values: str | Path) -> None:
        common = {
            "NAME": self.name,
            "FOLDER": self.folder,
            "RUN": self.run_folder,
            "SOCKET": self.socket,
            "POD_CIDR": self.place.pods,
            "CLUSTER_CIDR": PODS_CIDR,
            "REGISTRY": f"http://{HOST}:{REGISTRY_PORT}",
            "CGROUP": cgroups.root_of(self.name),
        }
        template = Template((TEMPLATES / Path(name).name).read_text())
        files.write(self.folder / name, template.substitute({**common, **values}))
