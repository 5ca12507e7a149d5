"""A Kubernetes control plane as plain processes: etcd, API server, controller manager, scheduler.

The local cluster runs on one; the integration tests start another, without nodes, beside it.
"""

import ipaddress
import re
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path

from dev import files
from dev.commands import run, wait_until
from dev.errors import DevError
from dev.gotools import KUBE
from dev.kubectl import Kubectl
from dev.processes import Processes, end, strays
from dev.versions import KUBERNETES

SERVICE_CIDR = "10.96.0.0/16"

KUBEADM = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {advertise}, bindPort: {port}}}
nodeRegistration: {{name: {node}}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {version}
certificatesDir: {pki}
encryptionAlgorithm: ECDSA-P256
networking: {{serviceSubnet: {services}}}
apiServer: {{certSANs: [{address}, 127.0.0.1, localhost]}}
"""
"""ECDSA, because two dozen RSA keys take seconds of a start that should take few."""


@dataclass(frozen=True)
class ControlPlane:
    """One control plane; all that it knows is below `state`, and every start begins afresh."""

    state: Path
    etcd_port: int = 2379
    api_port: int = 6443
    address: str = "127.0.0.1"
    with_scheduler: bool = False
    processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "processes", Processes(self.state))

    @property
    def kubeconfig(self) -> Path:
        """The administrator's credentials."""
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.state / "pki"

    @property
    def kubectl(self) -> Kubectl:
        """kubectl on this control plane."""
        return Kubectl(self.kubeconfig)

    def start(self) -> Path:
        """Start from nothing, whatever an earlier start has left; return the kubeconfig's path."""
        self.stop()
        self.state.mkdir(parents=True, exist_ok=True)
        for port in (self.etcd_port, self.etcd_port + 1, self.api_port):
            self._require_free(port)
        self._make_keys()
        self.processes.start("etcd", self._etcd())
        self.processes.start("kube-apiserver", self._apiserver())
        self._wait_for("kube-apiserver", "the API server answers", "get", "--raw", "/readyz")
        # The API server's own certificate for kubelets (logs, exec) is of this group.
        group = "kubeadm:cluster-admins"
        role = ("--clusterrole", "cluster-admin", "--group", group)
        self.kubectl("create", "clusterrolebinding", group, *role)
        self.processes.start("kube-controller-manager", self._controller_manager())
        if self.with_scheduler:
            self.processes.start("kube-scheduler", self._scheduler())
        # Pods can be made only once the controllers have made the account that they run as.
        account = ("get", "serviceaccount", "default", "-n", "default")
        self._wait_for("kube-controller-manager", "the controllers work", *account)
        return self.kubeconfig

    def stop(self) -> None:
        """End its processes, also those that an interrupted start left without a pid file."""
        self.processes.stop()
        end(strays(self.state), grace=0)
        for folder in ("etcd", "pki"):
            shutil.rmtree(self.state / folder, ignore_errors=True)

    def is_healthy(self) -> bool:
        """Whether every process lives and the API server says that it is ready."""
        names = ["etcd", "kube-apiserver", "kube-controller-manager"]
        names += ["kube-scheduler"] if self.with_scheduler else []
        alive = all(self.processes.is_alive(name) for name in names)
        return alive and self.kubectl.succeeds("get", "--raw", "/readyz", "--request-timeout=5s")

    def kubelet_kubeconfig(self, node: str) -> Path:
        """Make the credentials of one node's kubelet."""
        folder = self.state / node
        self._kubeadm(node, "kubeconfig", "kubelet", "--kubeconfig-dir", folder)
        return self._with_our_address(folder / "kubelet.conf")

    def proxy_kubeconfig(self) -> Path:
        """The credentials of kube-proxy: the administrator's, on a machine of one user."""
        return self.kubeconfig

    def _wait_for(self, process: str, what: str, *kubectl: str) -> None:
        def holds() -> bool:
            self.processes.check(process)
            return self.kubectl.succeeds(*kubectl)

        hint = f"See {self.processes.log(process)}."
        wait_until(what, holds, timeout=90, hint=hint)

    def _require_free(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.address, port))
            except OSError as error:
                raise DevError(
                    f"Port {port} of {self.address} cannot be had ({error.strerror}): another "
                    f"program uses it. `ss -ltnp` says which."
                ) from error

    def _make_keys(self) -> None:
        self._kubeadm("node-1", "certs", "all")
        self._kubeadm("node-1", "kubeconfig", "all", "--kubeconfig-dir", self.state)
        for name in ("super-admin", "controller-manager", "scheduler"):
            self._with_our_address(self.state / f"{name}.conf")
        # The super-admin's group needs no role binding, unlike the admin's.
        (self.state / "super-admin.conf").rename(self.kubeconfig)

    def _kubeadm(self, node: str, phase: str, what: str, *arguments: str | Path) -> None:
        config = self.state / f"kubeadm-{node}.yaml"
        # kubeadm replaces a loopback address by one of the machine's own; this one (set aside
        # for documentation) it leaves alone, and _with_our_address puts the real one in.
        loopback = ipaddress.ip_address(self.address).is_loopback
        text = KUBEADM.format(
            advertise="192.0.2.1" if loopback else self.address,
            address=self.address,
            port=self.api_port,
            node=node,
            version=KUBERNETES,
            pki=self.pki,
            services=SERVICE_CIDR,
        )
        files.write(config, text)
        phases = [KUBE, "kubeadm", "init", "phase", phase, what, "--config", config, *arguments]
        run(phases, log=self.processes.log(f"kubeadm-{phase}-{what}"))

    def _with_our_address(self, kubeconfig: Path) -> Path:
        server = f"server: https://{self.address}:{self.api_port}"
        text = re.sub(r"server: \S+", server, kubeconfig.read_text())
        files.write(kubeconfig, text, mode=0o600)
        return kubeconfig

    def _etcd(self) -> list[str | Path]:
        client = f"https://127.0.0.1:{self.etcd_port}"
        peer = f"http://127.0.0.1:{self.etcd_port + 1}"
        return [
            *(KUBE, "etcd", "--data-dir", self.state / "etcd"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
            *("--cert-file", self.pki / "etcd/server.crt"),
            *("--key-file", self.pki / "etcd/server.key"),
            *("--trusted-ca-file", self.pki / "etcd/ca.crt", "--client-cert-auth"),
            # Every start begins afresh, so nothing is lost with a crash of the machine.
            *("--unsafe-no-fsync", "--log-level", "warn"),
        ]

    def _apiserver(self) -> list[str | Path]:
        pki = self.pki
        issuer = "https://kubernetes.default.svc.cluster.local"
        return [
            *(KUBE, "kube-apiserver", "--bind-address", self.address),
            *("--secure-port", str(self.api_port), "--advertise-address", self.address),
            # Alone on a loopback address nobody reaches it as the Service `kubernetes`.
            *(() if self.with_scheduler else ("--endpoint-reconciler-type", "none")),
            *("--etcd-servers", f"https://127.0.0.1:{self.etcd_port}"),
            *("--etcd-cafile", pki / "etcd/ca.crt"),
            *("--etcd-certfile", pki / "apiserver-etcd-client.crt"),
            *("--etcd-keyfile", pki / "apiserver-etcd-client.key"),
            *("--service-cluster-ip-range", SERVICE_CIDR),
            *("--authorization-mode", "Node,RBAC"),
            *("--enable-admission-plugins", "NodeRestriction"),
            *("--client-ca-file", pki / "ca.crt"),
            *("--tls-cert-file", pki / "apiserver.crt"),
            *("--tls-private-key-file", pki / "apiserver.key"),
            *("--kubelet-client-certificate", pki / "apiserver-kubelet-client.crt"),
            *("--kubelet-client-key", pki / "apiserver-kubelet-client.key"),
            *("--kubelet-preferred-address-types", "InternalIP"),
            *("--service-account-issuer", issuer),
            *("--service-account-key-file", pki / "sa.pub"),
            *("--service-account-signing-key-file", pki / "sa.key"),
            *("--proxy-client-cert-file", pki / "front-proxy-client.crt"),
            *("--proxy-client-key-file", pki / "front-proxy-client.key"),
            *("--requestheader-client-ca-file", pki / "front-proxy-ca.crt"),
            *("--requestheader-extra-headers-prefix", "X-Remote-Extra-"),
            *("--requestheader-group-headers", "X-Remote-Group"),
            *("--requestheader-username-headers", "X-Remote-User"),
            *("--requestheader-allowed-names", "front-proxy-client"),
        ]

    def _controller_manager(self) -> list[str | Path]:
        return [
            *(KUBE, "kube-controller-manager"),
            *self._credentials("controller-manager"),
            *("--client-ca-file", self.pki / "ca.crt", "--root-ca-file", self.pki / "ca.crt"),
            *("--service-account-private-key-file", self.pki / "sa.key"),
            *("--cluster-signing-cert-file", self.pki / "ca.crt"),
            *("--cluster-signing-key-file", self.pki / "ca.key"),
            "--use-service-account-credentials",
            # At its default of 20 requests a second it would hide what the operator can do.
            *("--kube-api-qps", "500", "--kube-api-burst", "1000"),
        ]

    def _scheduler(self) -> list[str | Path]:
        return [KUBE, "kube-scheduler", *self._credentials("scheduler")]

    def _credentials(self, name: str) -> list[str | Path]:
        config = self.state / f"{name}.conf"
        return [
            *("--kubeconfig", config, "--authentication-kubeconfig", config),
            *("--authorization-kubeconfig", config, "--leader-elect=false"),
            # Nobody asks them for their metrics, and a second control plane needs the ports.
            *("--secure-port", "0"),
        ]
