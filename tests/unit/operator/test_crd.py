from typing import Any

import pytest

from transcription_operator.api.crd import custom_resource_definition, structural

VERSION = custom_resource_definition()["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
FORBIDDEN = {"$ref", "anyOf", "const", "exclusiveMinimum", "additionalProperties", "title"}


def nodes(schema: dict[str, Any], path: str = ""):
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


@pytest.mark.parametrize("node", [pytest.param(node, id=path) for path, node in nodes(SCHEMA)])
def test_every_node_is_structural(node):
    assert not FORBIDDEN & node.keys()
    assert "type" in node
    assert node.get("default", "") is not None


@pytest.mark.parametrize(
    "path",
    [p for p, _ in nodes(SCHEMA) if p.startswith((".spec.", ".status.")) and not p.endswith("]")],
)
def test_every_field_is_explained(path):
    assert dict(nodes(SCHEMA))[path].get("description")


def test_the_api_server_fills_in_defaults_of_spec_alone():
    assert SCHEMA["properties"]["spec"]["properties"]["workers"]["default"] == 1
    assert not [path for path, node in nodes(SCHEMA["properties"]["status"]) if "default" in node]


def test_every_list_and_text_of_the_spec_is_bounded_so_that_rules_stay_cheap():
    spec = dict(nodes(SCHEMA["properties"]["spec"], ".spec"))
    bounds = {"array": {"maxItems"}, "string": {"maxLength", "enum"}}
    unbounded = [p for p, n in spec.items() if not bounds.get(n["type"], n.keys()) & n.keys()]
    assert unbounded == [".spec.model.sha256"]  # its pattern says it


def test_no_field_is_a_float():
    assert not [path for path, node in nodes(SCHEMA) if node["type"] == "number"]


def test_the_columns_are_those_that_people_look_for():
    shown = [c["name"] for c in VERSION["additionalPrinterColumns"] if c["priority"] == 0]
    assert shown == ["Phase", "Progress", "Model", "Language", "Age"]


def test_a_union_is_refused_before_the_api_server_has_to():
    with pytest.raises(ValueError, match="union"):
        structural({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {})
