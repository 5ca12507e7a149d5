"""What the chart renders, and what it refuses."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from transcription_api.crd import custom_resource_definition
from transcription_api.generate import main
from transcription_operator.allow_lists import (
    AllowedToleration,
    ObjectStoreRules,
    PodTemplateRules,
)
from transcription_operator.settings import JobLimits, Models, Settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "transcription-operator"
IMAGES = Path(__file__).with_name("images.yaml")
"""Values with the images that every installation has to name."""
REGISTRY = "registry.example.com/transcription-operator"
HELM = str(Path(os.environ["TOOLS_DIR"]) / "helm") if "TOOLS_DIR" in os.environ else "helm"


def helm(
    *arguments: str, chart: Path = CHART, images: Path | None = IMAGES
) -> subprocess.CompletedProcess[str]:
    command = [HELM, "template", "t", str(chart), "-n", "sys", "--kube-version", "1.35.0"]
    command += ["-f", str(images)] if images else []
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def render(*arguments: str, chart: Path = CHART) -> list[dict[str, Any]]:
    done = helm(*arguments, chart=chart)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def container(documents: list[dict[str, Any]]) -> dict[str, Any]:
    return of_kind(documents, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0]


def named(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in of_kind(documents, kind) if each["metadata"]["name"] == name)
    return found


def settings_of(documents: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the operator makes of the chart's environment; a kubelet resolves references."""
    of_pod = {"metadata.name": "t-5d4f-x7k2p", "spec.nodeName": "node-1"}
    for variable in container(documents)["env"]:
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        value = of_pod[source] if source else variable["value"]
        monkeypatch.setenv(variable["name"], value)
    return Settings()


def granted(role: dict[str, Any]) -> set[tuple[str, str]]:
    """Each (resource, verb) of a Role or ClusterRole."""
    return {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_committed_files_are_what_the_models_say():
    assert main(["--check", str(ROOT)]) == 0


def test_the_chart_installs_the_generated_crd_and_keeps_it_on_uninstall():
    (crd,) = of_kind(render(), "CustomResourceDefinition")
    assert crd["spec"] == json.loads(json.dumps(custom_resource_definition()["spec"]))
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("arguments", [[], ["--set", "watchNamespaces={a,b}"]], ids=["all", "two"])
def test_the_operator_starts_with_what_the_chart_gives_it(arguments, monkeypatch):
    settings = settings_of(render(*arguments), monkeypatch)
    assert settings.transcriber_image == f"{REGISTRY}/transcriber:0.1.0"
    assert settings.pool_name(None) == "gpu"
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
    settings = settings_of(render(*arguments), monkeypatch)
    assert settings.models.model_dump(by_alias=True, exclude_none=True) == values["models"]
    assert settings.source_networks == ("10.20.0.0/16",)


def test_models_pools_and_service_accounts_reach_the_operator(monkeypatch):
    values = ["--set", "poolByModel.tiny=cpu", "--set", "serviceAccounts={transcriber}"]
    settings = settings_of(render(*values), monkeypatch)
    assert settings.pool_name(None, "tiny") == "cpu"
    assert settings.service_accounts == ("transcriber",)


def test_the_chart_begins_with_the_operators_own_lists(monkeypatch):
    settings = settings_of(render(), monkeypatch)
    assert settings.pod_template == PodTemplateRules()
    assert settings.object_store == ObjectStoreRules()
    assert settings.limits == JobLimits()
    assert settings.propagated_labels == settings.propagated_annotations == ()


def test_lists_limits_and_a_pools_own_reach_the_operator(monkeypatch):
    values = ROOT / "tests" / "contract" / "values" / "everything.yaml"
    stated = yaml.safe_load(values.read_text())
    settings = settings_of(render("-f", str(values)), monkeypatch)
    for found, value in (
        (settings.pod_template, stated["podTemplate"]),
        (settings.object_store, stated["objectStore"]),
    ):
        assert found.model_dump(by_alias=True, mode="json") == value
    assert settings.propagated_labels == ("team", "cost-center")
    assert settings.propagated_annotations == ("example.com/*",)
    assert (settings.limits.max_workers, settings.limits.max_resources) == (100, {"memory": "64Gi"})
    pool = settings.node_pools["a100"]
    assert pool.namespaces == ("media", "research-*")
    assert (pool.max_workers, pool.max_resources) == (16, {"cpu": "8", "memory": "48Gi"})
    assert pool.termination_grace_period_seconds == 100
    assert pool.allow.runtime_classes == ("kata",)
    assert pool.allow.tolerations == (AllowedToleration(key="reserved", operator="Exists"),)


def test_a_digest_wins_over_a_tag():
    digest = "sha256:" + "a" * 64
    image = container(render("--set", f"operator.image.digest={digest}"))["image"]
    assert image == f"{REGISTRY}/operator@{digest}"


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ([], "operator.image.repository and transcriber.image.repository must be set"),
        (["operator"], " transcriber.image.repository must be set"),
        (["transcriber"], " operator.image.repository must be set"),
    ],
    ids=["neither", "the operator's", "the transcriber's"],
)
def test_an_image_that_nobody_named_is_asked_for_and_not_pulled_from_a_stranger(named, sentence):
    done = helm(*(f"--set={each}.image.repository=r.example/x" for each in named), images=None)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Build them from Dockerfile.operator" in done.stderr


def test_operations_reach_the_operator(monkeypatch):
    values = {
        "queue": {"maxActiveJobs": 2000000, "maxActiveJobsPerNamespace": 3},
        "limits": {"maxFileBytes": "2Gi", "maxFileSeconds": 10000000},
        "operator.api": {"qps": 12.5, "burst": 30},
        "operator.log": {"format": "text", "level": "debug"},
        "operator.lease": {"durationSeconds": 60, "deadlineSeconds": 40, "retrySeconds": 0.5},
    }
    arguments = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
    settings = settings_of(render(*arguments), monkeypatch)
    assert settings.max_active_jobs == 2000000
    assert settings.max_active_jobs_per_namespace == 3
    assert settings.limits.of_file(4 << 30, 1 << 30) == (2 << 30, 10000000)
    assert (settings.api_qps, settings.api_burst) == (12.5, 30)
    assert (settings.log_format, settings.log_level) == ("text", "debug")
    assert settings.lease_duration_seconds == 60
    assert settings.lease_deadline_seconds == 40
    assert settings.lease_retry_seconds == 0.5


def test_namespaces_by_their_labels_reach_the_operator_and_its_role(monkeypatch):
    selector = {
        "matchLabels": {"transcription.dev/enabled": "true"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]},
            {"key": "tier", "operator": "NotIn", "values": ["c"]},
            {"key": "team", "operator": "Exists"},
            {"key": "legacy", "operator": "DoesNotExist"},
        ],
    }
    documents = render(f"--set-json=watchNamespaceSelector={json.dumps(selector)}")
    settings = settings_of(documents, monkeypatch)
    text = "transcription.dev/enabled=true,tier in (a,b),tier notin (c),team,!legacy"
    assert settings.watch_namespace_selector == text
    allowed = granted(named(documents, "ClusterRole", "t"))
    assert {verb for resource, verb in allowed if resource == "namespaces"} == {
        "get",
        "list",
        "watch",
    }
    binding = named(documents, "ValidatingAdmissionPolicyBinding", "t-sys-node-pools")
    assert binding["spec"]["matchResources"]["namespaceSelector"] == selector


def test_without_a_selector_the_operator_lists_no_namespaces(monkeypatch):
    documents = render()
    assert settings_of(documents, monkeypatch).watch_namespace_selector == ""
    assert ("namespaces", "list") not in granted(named(documents, "ClusterRole", "t"))


def test_the_class_reaches_the_operator_and_the_job_of_helm_test(monkeypatch):
    for name in ("", "research"):
        values = f"operator.className={name},test.uri=s3://transcripts/test/"
        documents = render("--set", values)
        assert settings_of(documents, monkeypatch).class_name == name
        (pod,) = of_kind(documents, "Pod")
        (made,) = (v for v in pod["spec"]["containers"][0]["env"] if v["name"] == "TEST_JOB")
        assert json.loads(made["value"])["spec"].get("operatorClassName", "") == name


@pytest.mark.parametrize("stated", ["2Gi", 2 << 30], ids=["a quantity", "a number of bytes"])
def test_a_limit_on_files_reaches_the_operator(monkeypatch, stated):
    limits = f"--set-json=limits.maxFileBytes={json.dumps(stated)}"
    settings = settings_of(render(limits), monkeypatch)
    assert settings.limits.of_file(4 << 30, 60) == (2 << 30, 60)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ("", (None, 86400)),
        ("jobs.ttlSecondsAfterFinished=604800", (604800, 86400)),
        ("jobs.ttlSecondsAfterFinished=0,jobs.childTtlSecondsAfterFinished=0", (0, 0)),
        ("jobs.childTtlSecondsAfterFinished=null", (None, None)),
    ],
    ids=["the chart's", "a week", "at once", "for ever"],
)
def test_finished_jobs_stay_and_their_kubernetes_jobs_go_after_a_day_by_default(
    values, kept, monkeypatch
):
    settings = settings_of(render("--set", values), monkeypatch)
    stated = (settings.ttl_seconds_after_finished, settings.child_ttl_seconds_after_finished)
    assert stated == kept


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_holder_of_the_lease_works_however_many_operators_there_are(replicas, monkeypatch):
    # `kubectl scale` adds operators without a word to Helm.
    documents = render("--set", f"operator.replicas={replicas}")
    settings = settings_of(documents, monkeypatch)
    (deployment,) = of_kind(documents, "Deployment")
    assert deployment["spec"]["replicas"] == replicas
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate"}
    assert (settings.lease_namespace, settings.lease_name) == ("sys", "t")
    assert settings.identity == "t-5d4f-x7k2p"


def test_nothing_limits_the_number_of_active_jobs_by_default(monkeypatch):
    settings = settings_of(render(), monkeypatch)
    assert settings.max_active_jobs is None
    assert settings.max_active_jobs_per_namespace is None


def test_the_probes_ask_where_the_operator_answers(monkeypatch):
    documents = render()
    (port,) = container(documents)["ports"]
    assert port["containerPort"] == settings_of(documents, monkeypatch).http_port
    probes = {name: container(documents)[f"{name}Probe"]["httpGet"] for name in
              ("liveness", "readiness")}  # fmt: skip
    assert probes == {
        "liveness": {"path": "/healthz", "port": port["name"]},
        "readiness": {"path": "/readyz", "port": port["name"]},
    }


def test_a_single_operator_has_no_disruption_budget_that_would_hold_its_node():
    assert not of_kind(render(), "PodDisruptionBudget")
    (budget,) = of_kind(render("--set", "operator.replicas=2"), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
