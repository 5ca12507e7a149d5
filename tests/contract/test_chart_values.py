"""Values that the chart refuses, and what it says to whoever installed it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_chart import CHART, ROOT, helm, render

TYPOS = (
    "operater.image.tag=x",
    "nodePools.gpu.nodeSelectr.a=b",
    "nodePools.gpu.tolerations[0].efect=NoSchedule",
    "nodePools.gpu.resources.limit.memory=1Gi",
    "nodePools.it's=null",
    "nodePools.cpu.resources.requests.cpu=1x",
    "nodePools.cpu.resources.requests.cpu=-1",
    "nodePools.cpu.resources.limits.memory=8GB",
    "operator.resources.limits.memory=512 Mi",
    "progress.intervalSeconds=0",
    "models.mirrorUri=s3://models/large-v3.pt",
    "models.cache.pvc=a",
    "models.cache.hostPath=relative",
    "sourceNetworks={intranet}",
    "nodePoolPolicy.enabeld=true",
    "serviceAccounts=transcriber",
    "limits.maxFileBytes=2GB",
    "limits.maxFileSeconds=0",
    "limits.maxFileSize=2Gi",
    "limits.maxWorkers=0",
    "limits.maxResources.memory=8GB",
    "podTemplate.allowedEnvs={TZ}",
    "podTemplate.allowedEnv={A*B}",
    "podTemplate.allowedTolerations[0].operator=Exists",
    "objectStore.allowPodIdentity=yes please",
    "objectStore.allowedEndpoints={s3.example}",
    "propagatedLabels={**}",
    "nodePools.cpu.maxWorkers=0",
    "nodePools.cpu.allow.priorityClass={batch}",
    "nodePools.cpu.namespaces=media",
    "nodePools.cpu.topologySpreadConstraints[0].maxSkew=1",
    "queue.maxActiveJobs=0",
    "queue.maxJobs=1",
    "operator.log.format=xml",
    "operator.api.qps=0",
    "operator.lease.durationSeconds=1",
    "operator.replicas=-1",
    "operator.serviceAccount.nmae=x",
    "operator.podDisruptionBudget.maxUnavailable=0",
    "operator.affinity.nodeAfinity.x=y",
    "operator.extraEnv[0].nmae=A",
    "operator.extraEnv[0].name=OPERATOR_NODE_POOLS",
    "operator.podLabels.app\\.kubernetes\\.io/name=mine",
    "commonLabels.helm\\.sh/chart=mine",
    "commonAnotations.a=b",
    "transcriber.podLabel.a=b",
    "rbac.aggregate=true",
    "networkPolicy.enabled=true",
    "networkPolicy.operator.apiServer.port=6443",
    "networkPolicy.operator.apiServer.cidrs={kubernetes}",
    "networkPolicy.workers.namespaces={Media}",
    "networkPolicy.workers.egress[0].port=443",
    "networkPolicy.metricsFrom[0].namespaces=monitoring",
    "monitoring.serviceMonitor.intervall=30s",
    "monitoring.podMonitor.interval=often",
    "monitoring.service.enable=true",
    "test.uri=s3://transcripts/test.ogg",
    "test.bucket=transcripts",
    "test.model.nmae=tiny",
    "test.model.name=tiny,test.model.uri=s3://models/mine.pt,test.model.sha256=" + "a" * 64,
    "test.model.uri=s3://models/mine.pt",
    "test.model.uri=s3://models/mine.pt,test.model.sha256=abc",
    "test.model.sha256=" + "a" * 64,
    "watchNamespaces={Media}",
    "crds.kept=true",
)

QUANTITIES = ("1", "0.5", ".5", "1500m", "2Gi", "2k", "1e9", "1E")

CONTRADICTIONS = (
    (["nodePools.gpu=null"], "defaultNodePool is gpu, but nodePools has: cpu"),
    (["poolByModel.tiny=small"], "poolByModel sends tiny to small, but nodePools has: cpu, gpu"),
    (["networkPolicy.workers.enabled=true"],
     "networkPolicy.workers.enabled needs networkPolicy.workers.namespaces"),
    (["monitoring.serviceMonitor.enabled=true", "monitoring.service.enabled=false"],
     "set monitoring.service.enabled=true"),
    (["test.uri=s3://transcripts/", "test.namespace=b", "watchNamespaces={a}"],
     "test.namespace is b, which the operator does not watch; watchNamespaces has: a"),
    (["test.uri=s3://transcripts/", "test.nodePool=small"],
     "test.nodePool is small, but nodePools has: cpu, gpu"),
)  # fmt: skip


@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_in_the_values_is_refused(typo: str):
    done = helm("--set", typo)
    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("option", ["--set", "--set-string"])
def test_a_quantity_is_taken_as_kubernetes_writes_it(quantity: str, option: str):
    assert render(option, f"nodePools.cpu.resources.requests.memory={quantity}")


OWN_MODEL = {"uri": "s3://models/mine.pt", "sha256": "a" * 64}


@pytest.mark.parametrize(
    ("before", "taken_away", "model"),
    [
        ({}, "", {"name": "tiny"}),
        ({"name": "base"}, "", {"name": "base"}),
        (OWN_MODEL, "", OWN_MODEL),
        (OWN_MODEL | {"name": "base"}, "test.model.name=null", OWN_MODEL),
        (OWN_MODEL | {"name": "base"}, "test.model.uri=null,test.model.sha256=null",
         {"name": "base"}),
    ],
)  # fmt: skip
def test_the_test_s_model_is_a_name_or_a_file_of_one_s_own(
    before: dict[str, str], taken_away: str, model: dict[str, str], tmp_path: Path
):
    # An upgrade merges new values into those that it reuses; null takes one of those away.
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"test": {"uri": "s3://bucket/test/", "model": before}}))
    documents = render("-f", str(values), "--set", taken_away)
    (pod,) = (each for each in documents if each["kind"] == "Pod")
    (job,) = (v["value"] for v in pod["spec"]["containers"][0]["env"] if v["name"] == "TEST_JOB")
    assert json.loads(job)["spec"]["model"] == model


@pytest.mark.parametrize(("values", "sentence"), CONTRADICTIONS, ids=[c[1] for c in CONTRADICTIONS])
def test_values_that_contradict_each_other_are_refused_with_a_sentence(values, sentence):
    done = helm(*(f"--set={value}" for value in values))
    assert done.returncode != 0
    assert sentence in done.stderr


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part of a JSON schema that lists properties, and where it is."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield path or "/", schema
        for key, part in schema.items():
            yield from objects(part, f"{path}/{key}")


def test_the_schema_takes_no_name_that_it_does_not_know():
    schema = json.loads((CHART / "values.schema.json").read_text())
    found = dict(objects(schema))
    assert len(found) > 20
    assert [path for path, each in found.items() if each.get("additionalProperties", True)] == []
    known = schema["properties"].keys() - {"global"}
    assert known == yaml.safe_load((CHART / "values.yaml").read_text()).keys()


def notes(tmp_path: Path, *arguments: str) -> str:
    """What `helm install` says at its end: `helm template` leaves it out."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    said = '{{ dict "notes" (include (print $.Template.BasePath "/NOTES.txt") .) | toYaml }}'
    (chart / "templates" / "notes.yaml").write_text(said)
    (document,) = render("--show-only", "templates/notes.yaml", *arguments, chart=chart)
    return str(document["notes"])


def test_the_notes_begin_with_what_is_missing(tmp_path: Path):
    said = notes(tmp_path, "--set", "operator.replicas=0,crds.enabled=false")
    warnings = re.findall(r"^WARNING: (.*?)[:.]", said, re.MULTILINE)
    assert warnings == [
        "the chart's own image names are in no registry",
        "operator",
        "crds",
    ]


def test_the_notes_name_the_namespaces_pools_and_test_of_these_values(tmp_path: Path):
    images = [f"--set={each}.image.repository=r.example/{each}" for each in
              ("operator", "transcriber")]  # fmt: skip
    said = notes(tmp_path, *images, "--set", "watchNamespaces={calls},test.uri=s3://bucket/test/")
    assert "WARNING" not in said
    assert "Node pools: cpu, gpu; gpu is the default." in said
    assert "kubectl rollout status deployment/t -n sys" in said
    assert "create secret generic transcription-object-store -n calls " in said
    assert "create namespace" not in said, "the operator has a Role in it"
    assert "helm test t -n sys --timeout 960s" in said
    assert "kubectl logs t-test -n calls" in said


def test_the_notes_make_the_first_namespace_before_its_secret(tmp_path: Path):
    said = notes(tmp_path)
    assert 0 < said.find("kubectl create namespace media ") < said.find("create secret generic ")


def blocks(page: Path) -> list[str]:
    """The YAML of a page."""
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("values", blocks(ROOT / "docs" / "install.md"), ids=lambda v: v.split()[0])
def test_each_example_of_values_in_the_documentation_is_one(values: str, tmp_path: Path):
    path = tmp_path / "values.yaml"
    path.write_text(values)
    assert render("-f", str(path))
