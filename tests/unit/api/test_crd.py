from typing import Any

import pytest

from transcription_api.crd import SELECTABLE, custom_resource_definition, structural
from transcription_api.progress import Progress

SPEC = custom_resource_definition()["spec"]
VERSION = SPEC["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
FORBIDDEN = {"$ref", "anyOf", "const", "exclusiveMinimum", "propertyNames", "title"}


def nodes(schema: dict[str, Any], path: str = ""):
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


@pytest.mark.parametrize("node", [pytest.param(node, id=path) for path, node in nodes(SCHEMA)])
def test_every_node_is_structural(node):
    assert not FORBIDDEN & node.keys()
    assert ("type" in node) != ("x-kubernetes-int-or-string" in node)
    assert not {"properties", "additionalProperties"} <= node.keys()
    assert "x-kubernetes-preserve-unknown-fields" not in node
    assert node.get("default", "") is not None


@pytest.mark.parametrize(
    "path",
    [p for p, _ in nodes(SCHEMA) if p.startswith((".spec.", ".status.")) and p[-1] not in "]}"],
)
def test_every_field_is_explained(path):
    assert dict(nodes(SCHEMA))[path].get("description")


def test_the_api_server_fills_in_defaults_of_spec_and_that_nobody_has_seen_a_new_job():
    assert SCHEMA["properties"]["spec"]["properties"]["workers"]["default"] == 1
    filled = {
        path: n["default"] for path, n in nodes(SCHEMA["properties"]["status"]) if "default" in n
    }
    assert filled == {"": {"observedGeneration": -1}}


def bounded(node: dict[str, Any]) -> bool:
    bounds = {
        "array": {"maxItems"},
        "string": {"maxLength", "enum"},
        "object": {"maxProperties", "properties"},
        "integer": {"maximum"},
        "boolean": {"type"},
    }
    return bool(bounds.get(node.get("type", "string"), set()) & node.keys())


def test_every_list_map_text_and_number_of_the_spec_is_bounded_so_that_rules_stay_cheap():
    spec = dict(nodes(SCHEMA["properties"]["spec"], ".spec"))
    unbounded = [path for path, node in spec.items() if not bounded(node)]
    assert unbounded == [".spec.model.sha256"]  # its pattern says it


MUTABLE = {
    "suspend",
    "priority",
    "workers",
    "pendingDeadlineSeconds",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
}


def test_all_but_what_steers_a_running_job_is_immutable():
    spec = SCHEMA["properties"]["spec"]
    rules = [rule["rule"] for rule in spec["x-kubernetes-validations"]]
    fixed = {
        field
        for field in spec["properties"]
        if any(f"has(self.{field}) == has(oldSelf.{field})" in rule for rule in rules)
    }
    assert spec["properties"].keys() - fixed == MUTABLE


def test_no_field_is_a_float():
    assert not [path for path, node in nodes(SCHEMA) if node.get("type") == "number"]


def test_the_columns_are_those_that_people_look_for():
    shown = [c["name"] for c in VERSION["additionalPrinterColumns"] if c["priority"] == 0]
    assert shown == ["Phase", "Progress", "Model", "Language", "Age"]


def test_the_progress_column_has_its_percent_sign():
    (column,) = (c for c in VERSION["additionalPrinterColumns"] if c["name"] == "Progress")
    assert (column["type"], column["jsonPath"]) == ("string", ".status.progress.shown")
    assert Progress(percent=42).to_wire()["shown"] == "42%"
    assert Progress.model_validate(Progress(percent=42).to_wire()) == Progress(percent=42)


def test_a_column_or_a_selector_shows_a_field_that_is_there():
    columns = [c["jsonPath"] for c in VERSION["additionalPrinterColumns"]]
    paths = {path for path, _ in nodes(SCHEMA)} | {".metadata.creationTimestamp"}
    assert {*columns, *SELECTABLE} - paths == set()


def test_jobs_can_be_selected_by_phase_pool_class_and_model():
    selectable = {each["jsonPath"] for each in VERSION["selectableFields"]}
    assert selectable == {
        ".spec.model.name",
        ".spec.nodePool",
        ".spec.operatorClassName",
        ".status.phase",
    }


def test_deleting_all_of_a_namespace_deletes_no_transcriptionjobs():
    assert SPEC["names"]["categories"] == ["transcription"]


def test_a_union_is_refused_before_the_api_server_has_to():
    with pytest.raises(ValueError, match="union"):
        structural({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {})
