"""The operator as a process of its own, with the chart's settings and no more than its rights."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from dev.commands import wait_until
from dev.kubectl import Kubectl
from dev.paths import ROOT
from tests.contract.test_chart import HELM, IMAGES

CHART = ROOT / "helm" / "transcription-operator"
VALUES = Path(__file__).with_name("values.yaml")
NAMESPACE = "transcription-system"
RELEASE = "operator"
READY = "watching TranscriptionJobs"


def rendered() -> str:
    values = ("-f", str(IMAGES), "-f", str(VALUES))
    command = [HELM, "template", RELEASE, str(CHART), "-n", NAMESPACE, *values]
    done = subprocess.run(
        [*command, "--kube-version", "1.35.0"], capture_output=True, text=True, check=True
    )
    return done.stdout


def install_chart(kubectl: Kubectl, folder: Path) -> Path:
    """Apply the chart but for its Deployment; return a kubeconfig of its service account."""
    kubectl("create", "namespace", NAMESPACE)
    documents = [d for d in yaml.safe_load_all(rendered()) if d and d["kind"] != "Deployment"]
    kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(documents))
    kubectl("wait", "--for=condition=Established", "crd/transcriptionjobs.transcription.dev")
    token = kubectl("create", "token", RELEASE, "-n", NAMESPACE).strip()
    administrator = yaml.safe_load(Path(str(kubectl.kubeconfig)).read_text())
    administrator["users"] = [
        {"name": user["name"], "user": {"token": token}} for user in administrator["users"]
    ]
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(administrator))
    return path


class Operator:
    """Started, killed and started again at will; ``settings`` go beside the chart's."""

    module = "transcription_operator"

    def __init__(self, kubeconfig: Path, log: Path, **settings: str) -> None:
        self._kubeconfig = kubeconfig
        self._log = log
        self._settings = settings
        self._begin = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def latest_log(self) -> str:
        """What it has said since its last start."""
        return self.log[self._begin :]

    @property
    def pid(self) -> int | None:
        """None when it has ended."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self, ready: bool = True) -> None:
        self._begin = len(self.log)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if ready:
            wait_until(
                "the operator watches",
                lambda: READY in self.latest_log,
                timeout=120,
            )

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process
        return self._process.wait(timeout=30)

    def stop(self) -> int:
        """SIGTERM, as the kubelet says it, and the exit code."""
        assert self._process
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _environment(self) -> dict[str, str]:
        (deployment,) = (d for d in yaml.safe_load_all(rendered()) if d["kind"] == "Deployment")
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        settings = {v["name"]: v["value"] for v in container["env"] if "value" in v}
        # Any free one: several run on this machine.
        settings["OPERATOR_HTTP_PORT"] = "0"
        # Without an election unless a test asks for one: a killed operator's lease would have to
        # run out before the next one works.
        settings["OPERATOR_LEASE_NAMESPACE"] = ""
        settings |= self._settings
        path = os.pathsep.join(str(ROOT / part) for part in ("operator", "transcriber"))
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
        return {**kept, **settings, "PYTHONPATH": path, "KUBECONFIG": str(self._kubeconfig)}
