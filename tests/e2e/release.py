"""The operator's release on the local cluster, as a test changes it."""

import json
from dataclasses import dataclass
from pathlib import Path

from dev.commands import run, wait_until
from dev.kubectl import Kubectl
from dev.operator_release import NAMESPACE, RELEASE
from dev.paths import BIN, KUBECONFIG


@dataclass(frozen=True)
class Release:
    """The operator's release, always with the images that it began with."""

    kubectl: Kubectl
    images: tuple[str, ...]

    @classmethod
    def find(cls, kubectl: Kubectl) -> "Release":
        deployment = kubectl.json("get", "deployment", RELEASE, "-n", NAMESPACE)
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        environment = {v["name"]: v.get("value") for v in container["env"]}
        images = {
            "operator": container["image"],
            "transcriber": environment["OPERATOR_TRANSCRIBER_IMAGE"],
        }
        settings = []
        for name, image in images.items():
            repository, _, tag = image.rpartition(":")
            settings += [f"--set-string={name}.image.repository={repository}"]
            settings += [f"--set-string={name}.image.tag={tag}"]
        return cls(kubectl, tuple(settings))

    def helm(self, verb: str, *arguments: str | Path) -> str:
        where = ("--kubeconfig", KUBECONFIG, "--namespace", NAMESPACE)
        return run([BIN / "helm", verb, RELEASE, *arguments, *where], timeout=360)

    def upgrade(self, chart: Path, values: Path, *changes: str) -> None:
        """Returns when the operator of this revision is ready, and no other is there."""
        self.helm("upgrade", chart, "-f", values, *self.images, *changes, "--wait")
        self._settled()

    def rollback(self, revision: int) -> None:
        self.helm("rollback", str(revision), "--wait")
        self._settled()

    def revision(self) -> int:
        """The newest revision's number."""
        history = json.loads(self.helm("history", "--output", "json"))
        return max(each["revision"] for each in history)

    def operator(self) -> str:
        """The uid of the operator's pod."""
        (pod,) = self._pods()
        uid: str = pod["metadata"]["uid"]
        return uid

    def _settled(self) -> None:
        wait_until("there is one operator", lambda: len(self._pods()) == 1, timeout=60)

    def _pods(self) -> list[dict]:
        label = ("-l", f"app.kubernetes.io/instance={RELEASE}")
        pods: list[dict] = self.kubectl.json("get", "pods", "-n", NAMESPACE, *label)["items"]
        return pods
