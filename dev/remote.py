"""The demo on a cluster of one's own: whatever the current kubectl context points at."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import demo, images, operator_release, store
from dev.commands import environment, run
from dev.errors import DevError
from dev.kubectl import Kubectl
from dev.paths import BIN, DEV, ROOT
from dev.s3 import S3
from dev.say import say, step

NEEDS = """\
`make demo CLUSTER=current` uses the current kubectl context{context}. It needs
  - on this machine: kubectl, helm, espeak-ng and ffmpeg{missing};
    with Debian's pocketsphinx-testdata it transcribes human speech, else synthetic speech
  - in the cluster: the right to make namespaces, roles and CustomResourceDefinitions
  - two images of this checkout, in a registry that the cluster can pull from:
        docker build -f Dockerfile.operator    -t REPOSITORY/operator:TAG .
        docker build -f Dockerfile.transcriber -t REPOSITORY/transcriber:TAG .
    then pushed (or `kind load docker-image`, `k3d image import`), and named here:
        make demo CLUSTER=current IMAGE_REPOSITORY=REPOSITORY IMAGE_TAG=TAG
    With BUILD=docker (or podman) as well, this target builds and pushes them itself.
Optional:
    STORE_IMAGE=IMAGE     the S3 server of the demo (default {store_image})
    HELM_VALUES=FILE      settings of the operator; by default its workers run on any node, on
                          the CPU (dev/values-current.yaml says how to use GPUs)
It makes the namespaces {operator}, store and media, and leaves them there."""

STORE_IMAGE = "versity/versitygw:v1.8.0"


def demonstrate() -> None:
    """Install the operator and the store into the current context's cluster, and run the demo."""
    repository, tag = os.environ.get("IMAGE_REPOSITORY"), os.environ.get("IMAGE_TAG")
    missing = [name for name in ("espeak-ng", "ffmpeg") if not shutil.which(name)]
    missing += [name for name in ("kubectl", "helm") if not _program(name)]
    if not repository or not tag or missing:
        raise DevError(_needs(missing))
    kubectl = Kubectl(None, program=_program("kubectl") or "kubectl")
    say(f"Using the cluster of the context {kubectl('config', 'current-context').strip()}.")
    _build(os.environ.get("BUILD"), repository, tag)
    with step("installing an S3 store"):
        image = os.environ.get("STORE_IMAGE") or STORE_IMAGE
        # It lives as long as its pod: the user's cluster has no folder of ours.
        store.apply(kubectl, image, node_selector={}, volume={"emptyDir": {}}, node_port=0)
    operator_release.install(
        kubectl,
        operator=(f"{repository}/operator", tag),
        transcriber=(f"{repository}/transcriber", tag),
        values=Path(os.environ.get("HELM_VALUES") or DEV / "values-current.yaml"),
        helm=_program("helm") or "helm",
    )
    with _forwarded(kubectl) as endpoint:
        demo.run(kubectl, S3(endpoint, store.CREDENTIALS))
    say()
    namespace = operator_release.NAMESPACE
    say("To remove it all:")
    say(f"  helm uninstall {operator_release.RELEASE} -n {namespace}")
    say(f"  kubectl delete namespace media store {namespace}")


def _program(name: str) -> str | None:
    """The user's own program, or else the one that dev/ has built."""
    return shutil.which(name) or shutil.which(name, path=str(BIN))


def _needs(missing: list[str]) -> str:
    kubectl = _program("kubectl")
    context = ""
    if kubectl:
        try:
            context = f" ({run([kubectl, 'config', 'current-context']).strip()})"
        except DevError:
            context = " (there is none now)"
    return NEEDS.format(
        context=context,
        missing=f": missing are {', '.join(missing)}" if missing else " (all there)",
        store_image=STORE_IMAGE,
        operator=operator_release.NAMESPACE,
    )


def _build(builder: str | None, repository: str, tag: str) -> None:
    if not builder:
        return
    for recipe in (images.OPERATOR, images.TRANSCRIBER):
        name = f"{repository}/{recipe.name}:{tag}"
        for verb in (
            [builder, "build", "--file", str(recipe.dockerfile), "--tag", name, str(ROOT)],
            [builder, "push", name],
        ):
            say(f"$ {shlex.join(verb)}")
            if subprocess.run(verb, check=False, env=environment()).returncode:
                raise DevError(f"{builder} {verb[1]} failed.")


@contextmanager
def _forwarded(kubectl: Kubectl) -> Iterator[str]:
    """The store's address on this machine, through kubectl port-forward."""
    argv = [str(kubectl.program), "port-forward", "-n", "store", "service/store", ":9000"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as process:
        try:
            first = process.stdout.readline() if process.stdout else ""
            address = re.search(r"127\.0\.0\.1:\d+", first)
            if not address:
                raise DevError("kubectl port-forward to the store failed.")
            yield f"http://{address[0]}"
        finally:
            process.terminate()
