"""A JSON schema of the manifest that people write, for their editors. Pure.

It is the CRD's schema without status, stricter in one way: an unknown field is an error, where the
API server only warns. What CEL rules say is left to the API server.
"""

import json
from typing import Any

from transcription_api import API_VERSION, KIND
from transcription_api.crd import schema_of
from transcription_api.spec import Spec

Schema = dict[str, Any]


def for_editors(node: Schema) -> Schema:
    """One node of a structural schema as JSON schema, draft 7."""
    plain = {key: value for key, value in node.items() if not key.startswith("x-kubernetes-")}
    if node.get("x-kubernetes-int-or-string"):
        plain["type"] = ["integer", "string"]
    if node.get("x-kubernetes-list-type") == "set":
        plain["uniqueItems"] = True
    if "properties" in node:
        plain["properties"] = {k: for_editors(v) for k, v in node["properties"].items()}
        plain["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if key in node:
            plain[key] = for_editors(node[key])
    return plain


def editor_schema() -> Schema:
    """The whole schema."""
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": KIND,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"enum": [API_VERSION]},
            "kind": {"enum": [KIND]},
            "metadata": {
                "type": "object",
                "anyOf": [{"required": ["name"]}, {"required": ["generateName"]}],
                "properties": {
                    "name": {
                        "type": "string",
                        "maxLength": 253,
                        "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
                    },
                    "labels": texts,
                    "annotations": texts,
                },
            },
            "spec": for_editors(schema_of(Spec)),
        },
    }


def render() -> str:
    """The schema's file, byte for byte."""
    return json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"
