"""What the chart renders, and what it refuses."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from transcription_operator.api.crd import custom_resource_definition, main
from transcription_operator.settings import Models, Settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "transcription-operator"
HELM = str(Path(os.environ["TOOLS_DIR"]) / "helm") if "TOOLS_DIR" in os.environ else "helm"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [HELM, "template", "t", str(CHART), "-n", "sys", "--kube-version", "1.35.0"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def render(*arguments: str) -> list[dict[str, Any]]:
    done = helm(*arguments)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def container(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return of_kind(documents, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]


def test_the_committed_crds_are_what_the_models_say():
    assert main(["--check", str(ROOT / "crds"), str(CHART / "files")]) == 0


def test_the_chart_installs_the_generated_crd_and_keeps_it_on_uninstall():
    (crd,) = of_kind(render(), "CustomResourceDefinition")
    assert crd["spec"] == json.loads(json.dumps(custom_resource_definition()["spec"]))
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("arguments", [[], ["--set", "watchNamespaces={a,b}"]], ids=["all", "two"])
def test_the_operator_starts_with_what_the_chart_gives_it(arguments, monkeypatch):
    for variable in container(render(*arguments))["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])
    settings = Settings()
    assert settings.transcriber_image == "transcription-operator/transcriber:0.1.0"
    assert settings.pool(None) == settings.node_pools["gpu"]
    assert settings.watch_namespaces == (("a", "b") if arguments else ())
    assert settings.models == Models()
    assert settings.source_networks == ()


def test_models_and_networks_reach_the_operator(monkeypatch):
    values = {
        "models": {
            "mirrorUri": "s3://models/whisper/",
            "cache": {"persistentVolumeClaim": "whisper-models"},
        },
        "sourceNetworks": ["10.20.0.0/16"],
    }
    arguments = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
    for variable in container(render(*arguments))["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])
    settings = Settings()
    assert settings.models.model_dump(by_alias=True, exclude_none=True) == values["models"]
    assert settings.source_networks == ("10.20.0.0/16",)


def test_a_digest_wins_over_a_tag():
    digest = "sha256:" + "a" * 64
    image = container(render("--set", f"operator.image.digest={digest}"))["image"]
    assert image == f"transcription-operator/operator@{digest}"


@pytest.mark.parametrize(
    "typo",
    [
        "operater.image.tag=x",
        "nodePools.gpu.nodeSelectr.a=b",
        "progress.intervalSeconds=0",
        "models.mirrorUri=s3://models/large-v3.pt",
        "models.cache.pvc=a",
        "models.cache.hostPath=relative",
        "sourceNetworks={intranet}",
    ],
)
def test_a_typo_in_the_values_is_refused(typo):
    assert helm("--set", typo).returncode != 0


def test_named_namespaces_get_roles_and_no_cluster_role():
    documents = render("--set", "watchNamespaces={a,b}")
    assert [role["metadata"]["namespace"] for role in of_kind(documents, "Role")] == ["a", "b"]
    assert not of_kind(documents, "ClusterRole")


def test_the_operator_can_reach_no_secret_no_shell_and_makes_no_pods():
    (role,) = of_kind(render(), "ClusterRole")
    granted = {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert not {resource for resource, _ in granted} & {"secrets", "pods/exec", "*"}
    assert "*" not in {verb for _, verb in granted}
    assert {verb for resource, verb in granted if resource == "pods"} == {"list", "watch"}


def test_the_operators_pod_passes_the_restricted_standard():
    pod = of_kind(render(), "Deployment")[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
