from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from tests.unit.api.test_crd import SCHEMA, nodes
from transcription_api import examples, reference
from transcription_api.editor_schema import editor_schema
from transcription_api.spec import Spec

EDITOR = Draft7Validator(editor_schema())
PAGE = reference.render()
BELOW_AFFINITY = ".podTemplate.affinity."
"""Kubernetes' own fields, of which the example states some."""


def manifest(**spec: Any) -> dict[str, Any]:
    stated = yaml.safe_load(examples.THE_OTHERS)
    return stated | {"spec": stated["spec"] | spec}


def leaves(schema: dict[str, Any]) -> set[str]:
    """Fields that hold a value rather than fields."""
    paths = {
        path for path, node in nodes(schema) if "properties" not in node and path[-1] not in "]}"
    }
    return {path for path in paths if BELOW_AFFINITY not in path}


def stated(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        below = {f"{path}.{k}": v for k, v in value.items()}
        return {path}.union(*(stated(v, p) for p, v in below.items()))
    if isinstance(value, list):
        return {path}.union(*(stated(each, f"{path}[]") for each in value))
    return {path}


def test_the_examples_state_every_field_of_the_spec():
    found = set()
    for text in (examples.EVERY_FIELD, examples.THE_OTHERS):
        spec = yaml.safe_load(text)["spec"]
        Spec.model_validate(spec)
        found |= stated(spec)
    assert leaves(SCHEMA["properties"]["spec"]) - found == set()


@pytest.mark.parametrize("name", ["EVERY_FIELD", "THE_OTHERS"])
def test_the_schema_for_editors_takes_the_examples(name: str):
    EDITOR.validate(yaml.safe_load(getattr(examples, name)))


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"langauge": "en"}, "'langauge' was unexpected"),
        ({"workers": 0}, "0 is less than the minimum of 1"),
        ({"task": "summarise"}, "'summarise' is not one of"),
        ({"resources": {"limits": {"memory": "much"}}}, "'much' does not match"),
        ({"output": {"uri": "s3://b/", "formats": ["txt", "txt"]}}, "has non-unique elements"),
    ],
    ids=["a typo", "a bound", "a word", "an amount", "a set"],
)
def test_an_editor_marks(spec: dict[str, Any], complaint: str):
    (error,) = EDITOR.iter_errors(manifest(**spec))
    assert complaint in error.message


def test_an_amount_may_be_a_number_as_in_kubernetes():
    EDITOR.validate(manifest(resources={"requests": {"cpu": 4}}))


def rows(page: str) -> dict[str, list[str]]:
    """Path of a field -> the cells of its row."""
    found, section = {}, ""
    for line in page.splitlines():
        if line.startswith("##"):
            section = line.lstrip("# ")
        if line.startswith("| ") and not line.startswith("| field"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[f".{section}.{cells[0].strip('*')}"] = cells
    return found


def test_the_page_has_a_row_for_every_field():
    fields = {path for path, node in nodes(SCHEMA) if path.startswith((".spec.", ".status."))}
    fields = {path for path in fields if path[-1] not in "]}"}
    assert rows(PAGE).keys() == fields
    assert {len(cells) for cells in rows(PAGE).values()} == {4}


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        (".spec.workers", ["workers", "integer", "`1`"]),
        (".spec.source.uri", ["**uri**", "string", ""]),
        (".spec.output.formats", ["formats", "list of `json`, `srt`, `vtt`, `txt`, `tsv`",
                                  '`["json", "vtt", "txt"]`']),
        (".spec.podTemplate.env", ["env", "list of [object](#specpodtemplateenv)", "`[]`"]),
        (".spec.resources.limits", ["limits", "map of amount", "`{}`"]),
        (".status.startTime", ["startTime", "time", ""]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_row_tells_type_and_default(field: str, cells: list[str]):
    assert rows(PAGE)[field][:3] == cells


def test_a_row_ends_with_the_bounds():
    assert rows(PAGE)[".spec.workers"][3].endswith("1 to 1000.")
    pattern = rows(PAGE)[".spec.output.uri"][3]
    assert pattern.endswith("1 to 1024 characters.")


def test_rules_are_told_in_the_sentences_that_the_api_server_says():
    assert "- model requires either name or uri." in PAGE
    assert "create a new TranscriptionJob: source, output, objectStore," in PAGE


def test_no_cell_of_a_table_is_cut_by_a_pipe():
    assert {line.count("|") for line in PAGE.splitlines() if line.startswith("| ")} == {5}
