"""The CustomResourceDefinition, generated from the models.

pydantic's JSON schema is translated into the structural OpenAPI v3 that the API server takes: no
$ref, no null, no exclusiveMinimum, no const
(https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
"""

from typing import Any

import yaml
from pydantic import BaseModel

from transcription_api import GROUP, KIND, PLURAL, VERSION
from transcription_api.spec import Spec
from transcription_api.status import Status

_HEADER = "# Generated from operator/transcription_api by `make crd`: edit there.\n"
_DROPPED = frozenset({"title", "$defs"})

_UNSEEN = {"observedGeneration": -1}
"""Status until the operator has observed a job: without it, kstatus takes a new job for done."""

Schema = dict[str, Any]


def _column(name: str, json_path: str, kind: str = "string", priority: int = 0) -> Schema:
    return {"name": name, "type": kind, "jsonPath": json_path, "priority": priority}


COLUMNS = [
    _column("Phase", ".status.phase"),
    _column("Progress", ".status.progress.shown"),
    _column("Model", ".status.model"),
    _column("Language", ".status.language"),
    _column("Speed", ".status.progress.speed", priority=1),
    _column("Reason", ".status.reason", priority=1),
    _column("Warnings", ".status.result.warnings", "integer", priority=1),
    _column("Suspect", ".status.result.suspectSegments", "integer", priority=1),
    _column("Result", ".status.result.uri", priority=1),
    _column("Age", ".metadata.creationTimestamp", "date"),
]


SELECTABLE = (
    ".spec.model.name",
    ".spec.nodePool",
    ".spec.operatorClassName",
    ".status.phase",
)
"""What ``kubectl get tj --field-selector status.phase=Failed`` may name."""


SCALE = {"specReplicasPath": ".spec.workers", "statusReplicasPath": ".status.workers.active"}
"""What ``kubectl scale tj/standup --replicas 4`` reads and writes."""


def structural(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """One node of a pydantic JSON schema as structural OpenAPI v3.

    Raises:
        ValueError: the node is a union of more than one type and null.
    """
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        return structural(_merged(target, siblings), definitions)
    if schema.get("x-kubernetes-int-or-string"):
        return {key: value for key, value in schema.items() if key not in (*_DROPPED, "anyOf")}
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        if len(options) != 1:
            raise ValueError(f"a union cannot be structural: {schema}")
        siblings = {key: value for key, value in schema.items() if key != "anyOf"}
        return structural(_merged(options[0], siblings), definitions)
    node = {key: value for key, value in schema.items() if key not in _DROPPED}
    if node.get("additionalProperties") is False:
        # A strict model's, which the API server refuses; a map has the schema of its values.
        del node["additionalProperties"]
    if "default" in node:
        node = _without_nulls(node)
    if "const" in node:
        node["enum"] = [node.pop("const")]
    return {**node, **_children(node, definitions)}


def _children(node: Schema, definitions: dict[str, Schema]) -> Schema:
    children: Schema = {}
    if "properties" in node:
        children["properties"] = {
            name: structural(child, definitions) for name, child in node["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if key in node:
            children[key] = structural(node[key], definitions)
    return children


def _merged(inner: Schema, outer: Schema) -> Schema:
    """``outer`` wins, but both sides' CEL rules stand."""
    rules = [*inner.get("x-kubernetes-validations", []), *outer.get("x-kubernetes-validations", [])]
    merged = {**inner, **outer}
    return {**merged, "x-kubernetes-validations": rules} if rules else merged


def _without_nulls(node: Schema) -> Schema:
    default = node["default"]
    if isinstance(default, dict):
        return {**node, "default": {k: v for k, v in default.items() if v is not None}}
    return node if default is not None else {k: v for k, v in node.items() if k != "default"}


def without_defaults(schema: Schema) -> Schema:
    """The same schema, with nothing for the API server to fill in: for status, whose fields are
    written by the operator alone."""
    node = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in node:
        node["properties"] = {k: without_defaults(v) for k, v in node["properties"].items()}
    if "items" in node:
        node["items"] = without_defaults(node["items"])
    return node


def schema_of(model: type[BaseModel]) -> Schema:
    """A model's structural schema."""
    raw = model.model_json_schema(by_alias=True)
    return structural(raw, raw.get("$defs", {}))


def custom_resource_definition() -> Schema:
    """The whole CRD."""
    schema = {
        "type": "object",
        "description": "Batch transcription of recordings in an object store.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": schema_of(Spec),
            "status": without_defaults(schema_of(Status)) | {"default": _UNSEEN},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["tj"],
                # Not "all": kubectl delete all --all would delete every TranscriptionJob.
                "categories": ["transcription"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}, "scale": SCALE},
                    "selectableFields": [{"jsonPath": path} for path in SELECTABLE],
                    "additionalPrinterColumns": COLUMNS,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def render() -> str:
    """The CRD's file, byte for byte."""
    return _HEADER + yaml.safe_dump(
        custom_resource_definition(), sort_keys=False, width=100, allow_unicode=True
    )
