"""The operator, installed into a cluster by its Helm chart."""

from pathlib import Path

from dev.commands import run
from dev.kubectl import Kubectl
from dev.paths import BIN, DEV, ROOT
from dev.say import step

CHART = ROOT / "helm" / "transcription-operator"
RELEASE = "transcription-operator"
NAMESPACE = "transcription-system"


def install(
    kubectl: Kubectl,
    operator: tuple[str, str],
    transcriber: tuple[str, str],
    values: Path = DEV / "values.yaml",
    helm: str | Path = BIN / "helm",
) -> None:
    """Install or upgrade the release and wait for it; images are (repository, tag)."""
    chosen = ["--kubeconfig", str(kubectl.kubeconfig)] if kubectl.kubeconfig else []
    images = {"operator": operator, "transcriber": transcriber}
    with step("installing the operator with Helm"):
        run(
            [
                *(helm, "upgrade", "--install", RELEASE, CHART, *chosen),
                *("--namespace", NAMESPACE, "--create-namespace", "--values", values),
                *(
                    f"--set-string={name}.image.{key}={value}"
                    for name, image in images.items()
                    for key, value in zip(("repository", "tag"), image, strict=True)
                ),
                *("--wait", "--timeout", "3m"),
            ],
            timeout=240,
        )
