"""What the documentation tells people to type and to apply, by a real kubectl and API server."""

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.kubectl import Kubectl
from dev.paths import ROOT
from tests.documents import blocks, commands, options_of
from tests.stage import example

FOREIGN = ("argoproj.io", "fluxcd.io", "coreos.com", "github.com")
"""Kinds of other projects, whose CRDs are not here."""

MANIFESTS = [
    (str(block), document)
    for block in blocks("yaml")
    for document in block.documents
    if "kind" in document and not document["apiVersion"].split("/")[0].endswith(FOREIGN)
]
KUBECTL = [(where, words) for where, words in commands("kubectl") if words[0] != "transcribe"]

NAMESPACES = {m["metadata"]["namespace"] for _, m in MANIFESTS if "namespace" in m["metadata"]} | {
    name for _, words in KUBECTL for option, name in pairwise(words) if option == "-n"
}
WRITES = {"annotate", "create", "delete", "patch"}
READS = {"describe", "explain", "get"}
"""These are run, on a job that no operator sees; others need what is not here."""


@pytest.fixture(scope="module")
def kubectl(control_plane, operator_kubeconfig) -> Kubectl:
    """A cluster as the pages take it for given."""
    found: Kubectl = control_plane.kubectl
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in sorted({"media", *NAMESPACES})
    ]
    jobs = {
        ("reading", "media"),
        ("standup", "media"),
        ("standup", "default"),
        ("interview", "media"),
    }
    objects += [example() | {"metadata": {"name": name, "namespace": namespace}}
                for name, namespace in sorted(jobs)]  # fmt: skip
    names = {"name": "argocd-cm", "namespace": "argocd"}
    objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": names})
    # What `helm test` leaves behind.
    container = {"name": "test", "image": "registry.example.com/transcriber"}
    names = {"name": "transcription-operator-test", "namespace": "media"}
    objects.append(
        {"apiVersion": "v1", "kind": "Pod", "metadata": names, "spec": {"containers": [container]}}
    )
    found("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(objects))
    return found


@pytest.mark.parametrize(
    "manifest", [m for _, m in MANIFESTS], ids=[f"{where}-{m['kind']}" for where, m in MANIFESTS]
)
def test_the_api_server_takes_a_manifest(kubectl: Kubectl, manifest: dict[str, Any]):
    # The pools are those of this installation, and a policy knows them.
    spec = {key: value for key, value in manifest.get("spec", {}).items() if key != "nodePool"}
    metadata = manifest["metadata"] | {"name": f"{manifest['metadata']['name']}-of-the-docs"}
    stated = manifest | {"metadata": metadata} | ({"spec": spec} if spec else {})
    kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=yaml.safe_dump(stated),
    )


def all_of(verbs: set[str]) -> Any:
    chosen = [(where, words) for where, words in KUBECTL if words[0] in verbs]
    ids = [f"{where}-{words[0]}" for where, words in chosen]
    return pytest.mark.parametrize("words", [words for _, words in chosen], ids=ids)


@all_of(WRITES | READS)
def test_a_command_does_what_it_says(kubectl: Kubectl, words: list[str], tmp_path: Path):
    for folder in ("examples", "helm"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "ca.pem").write_text("a certificate")
    tried = [word for word in words if word not in ("-w", "--watch")]
    if words[0] in WRITES:
        tried.append("--dry-run=server")
    done = subprocess.run(
        [str(kubectl.program), "--kubeconfig", str(kubectl.kubeconfig), *tried],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0 or "already exists" in done.stderr, done.stderr


@all_of({words[0] for _, words in KUBECTL} - WRITES - READS)
def test_of_what_is_not_run_kubectl_knows_every_option(kubectl: Kubectl, words: list[str]):
    known = kubectl(words[0], "--help") + kubectl("options")
    named = [line.split(":")[0].split("=")[0] for line in known.splitlines()]
    options = {name.strip().rstrip(",") for each in named for name in each.split(",")}
    assert set(options_of(words)) - options == set()
