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
HELM = str(Path(os.environ["TOOLS_DIR"]) / "helm") if "TOOLS_DIR" in os.environ else "helm"


def helm(*arguments: str, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    command = [HELM, "template", "t", str(chart), "-n", "sys", "--kube-version", "1.35.0"]
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
    assert settings.transcriber_image == "transcription-operator/transcriber:0.1.0"
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


def policy(*arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    documents = render(*arguments)
    (made,) = of_kind(documents, "ValidatingAdmissionPolicy")
    (binding,) = of_kind(documents, "ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == made["metadata"]["name"]
    return made["spec"], binding["spec"]


@pytest.mark.parametrize(
    ("arguments", "pools"),
    [
        ([], '["cpu","gpu"]'),
        (["--set", "nodePools.gpu=null,defaultNodePool=cpu"], '["cpu"]'),
        (["--set-json", 'nodePools={"h100":{},"a100":{}}'], '["a100","cpu","gpu","h100"]'),
    ],
    ids=["the chart's", "one fewer", "more"],
)
def test_a_pool_that_is_not_among_the_values_is_refused_when_a_job_is_created(arguments, pools):
    made, _ = policy(*arguments)
    (resources,) = made["matchConstraints"]["resourceRules"]
    assert resources["operations"] == ["CREATE"]
    (validation,) = made["validations"]
    assert validation["expression"].endswith(f"object.spec.nodePool in {pools}")
    assert validation["messageExpression"].endswith(
        f'the pools are: {", ".join(json.loads(pools))}"'
    )


def test_an_operator_of_some_namespaces_refuses_pools_in_those_alone():
    _, everywhere = policy()
    assert "matchResources" not in everywhere
    _, binding = policy("--set", "watchNamespaces={a,b}")
    (expression,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert expression["key"] == "kubernetes.io/metadata.name"
    assert (expression["operator"], expression["values"]) == ("In", ["a", "b"])


def test_the_policy_can_be_left_out():
    documents = render("--set", "nodePoolPolicy.enabled=false")
    assert not [each for each in documents if "AdmissionPolicy" in each["kind"]]


def test_a_digest_wins_over_a_tag():
    digest = "sha256:" + "a" * 64
    image = container(render("--set", f"operator.image.digest={digest}"))["image"]
    assert image == f"transcription-operator/operator@{digest}"


def test_operations_reach_the_operator(monkeypatch):
    values = {
        "queue": {"maxActiveJobs": 2000000, "maxActiveJobsPerNamespace": 3},
        "limits": {"maxFileBytes": "2Gi", "maxFileSeconds": 10000000},
        "operator.api": {"qps": 12.5, "burst": 30},
        "operator.log.format": "text",
        "operator.lease": {"durationSeconds": 60, "deadlineSeconds": 40, "retrySeconds": 0.5},
    }
    arguments = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
    settings = settings_of(render(*arguments), monkeypatch)
    assert settings.max_active_jobs == 2000000
    assert settings.max_active_jobs_per_namespace == 3
    assert settings.limits.of_file(4 << 30, 1 << 30) == (2 << 30, 10000000)
    assert (settings.api_qps, settings.api_burst) == (12.5, 30)
    assert settings.log_format == "text"
    assert settings.lease_duration_seconds == 60
    assert settings.lease_deadline_seconds == 40
    assert settings.lease_retry_seconds == 0.5


@pytest.mark.parametrize("stated", ["2Gi", 2 << 30], ids=["a quantity", "a number of bytes"])
def test_a_limit_on_files_reaches_the_operator(monkeypatch, stated):
    limits = f"--set-json=limits.maxFileBytes={json.dumps(stated)}"
    settings = settings_of(render(limits), monkeypatch)
    assert settings.limits.of_file(4 << 30, 60) == (2 << 30, 60)


def test_one_operator_holds_no_election_and_starts_when_its_forerunner_has_ended(monkeypatch):
    documents = render()
    settings = settings_of(documents, monkeypatch)
    (deployment,) = of_kind(documents, "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert settings.leader_election is False
    assert settings.max_active_jobs is None
    assert settings.max_active_jobs_per_namespace is None


def test_several_operators_elect_one_under_the_names_of_their_pods(monkeypatch):
    documents = render("--set", "operator.replicas=2")
    settings = settings_of(documents, monkeypatch)
    (deployment,) = of_kind(documents, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate"}
    assert settings.leader_election is True
    assert (settings.lease_namespace, settings.lease_name) == ("sys", "t")
    assert settings.identity == "t-5d4f-x7k2p"


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


def test_an_operator_of_named_namespaces_has_roles_there_and_no_cluster_role():
    documents = render("--set", "watchNamespaces={a,b}")
    roles = {r["metadata"]["namespace"]: r for r in of_kind(documents, "Role")}
    assert roles.keys() == {"a", "b", "sys"}
    assert not of_kind(documents, "ClusterRoleBinding")
    assert "nodes" not in {resource for resource, _ in granted(roles["a"])}


def test_the_lease_is_the_one_thing_that_the_operator_may_do_at_home():
    documents = render()
    (role,) = of_kind(documents, "Role")
    (binding,) = of_kind(documents, "RoleBinding")
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "sys"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert granted(role) == {("leases", verb) for verb in ("create", "get", "update")}
    names = {verb: rule.get("resourceNames") for rule in role["rules"] for verb in rule["verbs"]}
    assert names == {"create": None, "get": ["t"], "update": ["t"]}


def test_the_operator_can_reach_no_secret_no_shell_and_makes_no_pods():
    allowed = granted(named(render(), "ClusterRole", "t"))
    assert not {resource for resource, _ in allowed} & {"secrets", "pods/exec", "*"}
    assert "*" not in {verb for _, verb in allowed}
    assert {verb for resource, verb in allowed if resource == "pods"} == {"get", "list", "watch"}
    assert {verb for resource, verb in allowed if resource == "nodes"} == {"get"}


def test_the_operator_acts_as_the_service_account_that_the_values_name():
    values = ["--set", "operator.serviceAccount.create=false,operator.serviceAccount.name=mine"]
    documents = render(*values)
    assert not of_kind(documents, "ServiceAccount")
    pod = of_kind(documents, "Deployment")[0]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "mine"
    bindings = [*of_kind(documents, "ClusterRoleBinding"), *of_kind(documents, "RoleBinding")]
    assert {binding["subjects"][0]["name"] for binding in bindings} == {"mine"}


def test_a_single_operator_has_no_disruption_budget_that_would_hold_its_node():
    assert not of_kind(render(), "PodDisruptionBudget")
    (budget,) = of_kind(render("--set", "operator.replicas=2"), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
