"""What the chart makes of each file in values/, byte for byte, and what holds for all of them."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_chart import of_kind, render, settings_of
from transcription_operator.policies import names

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "chart"
VALUES = sorted((HERE / "values").glob("*.yaml"))
EVERYTHING = HERE / "values" / "everything.yaml"
OURS = {"app.kubernetes.io/name": "transcription-operator", "app.kubernetes.io/instance": "t"}
WORKER_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/managed-by")

each_values_file = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)


def brief(document: dict[str, Any]) -> dict[str, Any]:
    """Without files of the chart, which have tests of their own."""
    contents = ("data", "binaryData")
    return {key: sorted(value) if key in contents else value for key, value in document.items()}


def pod_templates(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every pod that the chart makes, with its metadata."""
    made = [document["spec"]["template"] for document in of_kind(documents, "Deployment")]
    return [*made, *of_kind(documents, "Pod")]


@each_values_file
def test_a_values_file_renders_as_its_golden_file(values: Path):
    documents = [d for d in render("-f", str(values)) if d["kind"] != "CustomResourceDefinition"]
    golden = GOLDEN / values.name
    text = yaml.safe_dump_all([brief(document) for document in documents], width=100)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert golden.read_text() == text, "intended? then run once with UPDATE_GOLDEN=1"


def test_every_golden_file_has_its_values():
    assert {path.name for path in GOLDEN.iterdir()} == {path.name for path in VALUES}


@each_values_file
def test_the_operator_starts_with_what_a_values_file_gives_it(values: Path, monkeypatch):
    settings = settings_of(render("-f", str(values)), monkeypatch)
    assert settings.default_node_pool in settings.node_pools


@each_values_file
def test_every_pod_passes_the_restricted_standard(values: Path):
    templates = pod_templates(render("-f", str(values)))
    assert templates
    for pod in (template["spec"] for template in templates):
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "initContainers"}
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not any("hostPort" in port for port in container.get("ports", []))
        for volume in pod.get("volumes", []):
            assert volume.keys() - {"name"} <= {"configMap", "secret", "emptyDir"}


def test_labels_and_annotations_for_all_are_on_every_object_and_on_every_pod():
    documents = render("-f", str(EVERYTHING))
    for metadata in (each["metadata"] for each in [*documents, *pod_templates(documents)]):
        assert metadata["labels"]["team"] == "platform", metadata
        assert metadata["annotations"]["contact"] == "platform@example.com", metadata


@each_values_file
def test_what_selects_the_operator_selects_no_other_pod_of_the_chart(values: Path):
    documents = render("-f", str(values))
    (operator,) = of_kind(documents, "Deployment")
    assert operator["spec"]["selector"] == {"matchLabels": OURS}
    assert OURS.items() <= operator["spec"]["template"]["metadata"]["labels"].items()
    for pod in of_kind(documents, "Pod"):
        assert not OURS.items() <= pod["metadata"]["labels"].items()
    for service in of_kind(documents, "Service"):
        assert service["spec"]["selector"] == OURS


def test_an_install_for_some_namespaces_needs_no_right_on_the_whole_cluster():
    documents = render("-f", str(HERE / "values" / "namespaced.yaml"))
    places = {document["metadata"].get("namespace") for document in documents}
    assert places == {"sys", "media", "calls"}


def test_network_policies_of_workers_lie_in_their_namespaces_and_let_the_operator_ask():
    documents = render("-f", str(HERE / "values" / "namespaced.yaml"))
    policies = [p for p in of_kind(documents, "NetworkPolicy") if p["metadata"]["name"] != "t"]
    assert {p["metadata"]["namespace"] for p in policies} == {"media", "calls"}
    for policy in policies:
        (rule,) = policy["spec"]["ingress"]
        assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [OURS]


def test_workers_are_selected_by_the_labels_that_the_operator_gives_them():
    documents = render("-f", str(EVERYTHING))
    wanted = {key: names.labels("uid")[key] for key in WORKER_LABELS}
    (monitor,) = of_kind(documents, "PodMonitor")
    assert monitor["spec"]["selector"] == {"matchLabels": wanted}
    (policy,) = (p for p in of_kind(documents, "NetworkPolicy") if p["metadata"]["name"] != "t")
    assert policy["spec"]["podSelector"] == {"matchLabels": wanted}
