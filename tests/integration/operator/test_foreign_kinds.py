"""Manifests of other projects' kinds: an API server that has their CRDs takes each word."""

from typing import Any

import pytest
import yaml

from dev import foreign_crds
from dev.kubectl import Kubectl
from dev.paths import ROOT
from tests.contract.test_chart import render
from tests.contract.test_chart_renders import EVERYTHING

FOREIGN = ("argoproj.io", "fluxcd.io", "coreos.com")
EXAMPLES = sorted((ROOT / "examples" / "gitops").glob("*.yaml"))


def manifests() -> list[dict[str, Any]]:
    """Those of the examples for GitOps, and of the chart with all that it can make."""
    stated = [document for path in EXAMPLES for document in yaml.safe_load_all(path.read_text())]
    stated += render("-f", str(EVERYTHING))
    return [each for each in stated if each["apiVersion"].partition("/")[0].endswith(FOREIGN)]


@pytest.fixture(scope="module")
def kubectl(control_plane) -> Kubectl:
    found: Kubectl = control_plane.kubectl
    folder = foreign_crds.ensure()
    found("apply", "--server-side", "-f", folder)
    found("wait", "--for=condition=Established", "-f", folder)
    return found


def test_every_foreign_kind_is_among_them():
    assert {each["kind"] for each in manifests()} == {
        *("Application", "GitRepository", "HelmRelease", "Kustomization"),
        *("PodMonitor", "PrometheusRule", "ServiceMonitor"),
    }


@pytest.mark.parametrize(
    "manifest", manifests(), ids=lambda m: f"{m['kind']}-{m['metadata']['name']}"
)
def test_an_api_server_with_its_crd_takes_a_manifest(
    kubectl: Kubectl, namespace: str, manifest: dict[str, Any]
):
    metadata = manifest["metadata"] | {"namespace": namespace}
    kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=yaml.safe_dump(manifest | {"metadata": metadata}),
    )
