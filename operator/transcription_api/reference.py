"""docs/reference.md: every field of the resource, from the CRD's schema. Pure."""

import html
import json
from collections.abc import Iterator
from typing import Any

from transcription_api import API_VERSION, KIND
from transcription_api.crd import COLUMNS, custom_resource_definition
from transcription_api.examples import EVERY_FIELD, THE_OTHERS

Schema = dict[str, Any]


def _column_names(priority: int) -> str:
    return ", ".join(column["name"] for column in COLUMNS if column["priority"] == priority)


_HEAD = f"""\
<!-- Generated from operator/transcription_api by `make crd`: edit there. -->
# API reference

`{API_VERSION}`, kind `{KIND}`, short name `tj`; from the cluster: `kubectl explain tj.spec`.
`kubectl get tj` shows the columns {_column_names(0)}; `-o wide` adds {_column_names(1)}.

Every field of the spec, stated once; none but `source.uri` and `output.uri` is needed:

```yaml
{EVERY_FIELD}```

Instead of the Secret and of an official model:

```yaml
{THE_OTHERS}```

An editor with a YAML language server checks a manifest while it is written, when its first line
names [the schema](schema/transcriptionjob.schema.json), as above: by its path from there.

In the tables below, a field in **bold** must be given.
"""

_LIMITS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
    ("minProperties", "maxProperties", " entries"),
)
_MARKDOWN = str.maketrans({"*": r"\*", "<": "&lt;", "|": "&#124;", "[": r"\["})
_CODE = {character: f"&#{ord(character)};" for character in "|*_[]\\`"}


def render() -> str:
    """The page, byte for byte."""
    (version,) = custom_resource_definition()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    sections = [
        section
        for name in ("spec", "status")
        for section in _sections(name, schema["properties"][name])
    ]
    return "\n".join([_HEAD, *sections])


def _sections(path: str, node: Schema) -> Iterator[str]:
    """The object at ``path``, and then every object below it."""
    rows = [_row(path, name, child, node) for name, child in node["properties"].items()]
    table = ["| field | type | default | what |", "|-|-|-|-|", *rows]
    description = node.get("description", "").translate(_MARKDOWN)
    # As deep as the path, so that a table of contents can stop before Kubernetes' own depths.
    heading = "#" * min(6, max(2, path.count(".") + 1))
    yield "\n".join([f"{heading} {path}", "", description, "", *table, *_rules(node), ""])
    for name, child in node["properties"].items():
        for below, inner in _objects(f"{path}.{name}", child):
            yield from _sections(below, inner)


def _objects(path: str, node: Schema) -> Iterator[tuple[str, Schema]]:
    if "properties" in node:
        yield path, node
    elif "items" in node:
        yield from _objects(f"{path}[]", node["items"])


def _row(path: str, name: str, node: Schema, parent: Schema) -> str:
    shown = f"**{name}**" if name in parent.get("required", ()) else name
    default = _code(json.dumps(node["default"], ensure_ascii=False)) if "default" in node else ""
    what = ". ".join(
        part.rstrip(".")
        for part in (node.get("description", "").translate(_MARKDOWN), _limits(node))
        if part
    )
    return f"| {shown} | {_type(f'{path}.{name}', node)} | {default} | {what}. |"


def _type(path: str, node: Schema) -> str:
    if "properties" in node:
        return f"[object](#{_anchor(path)})"
    if "items" in node:
        return f"list of {_type(f'{path}[]', node['items'])}"
    if "additionalProperties" in node:
        return f"map of {_type(path, node['additionalProperties'])}"
    if "enum" in node:
        return ", ".join(_code(str(value)) for value in node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return "amount"
    return str(node.get("format", "").replace("date-time", "time") or node["type"])


def _anchor(path: str) -> str:
    """As GitHub and mkdocs make it of a heading."""
    return "".join(c for c in path.lower() if c.isalnum() or c in "-_")


def _limits(node: Schema) -> str:
    """What the value must be; of lists and maps, what each of their values must be, too."""
    inner = node.get("items") or node.get("additionalProperties") or {}
    found = [*_bounds(node), *(f"each {text}" for text in _bounds(inner))]
    text = "; ".join(found)
    return text[:1].upper() + text[1:]


def _bounds(node: Schema) -> Iterator[str]:
    for low, high, what in _LIMITS:
        match node.get(low), node.get(high):
            case None, None:
                continue
            case None, most:
                yield f"at most {most}{what}"
            case least, None:
                yield f"at least {least}{what}"
            case least, most:
                yield f"{least} to {most}{what}"
    if "pattern" in node:
        yield f"pattern {_code(node['pattern'])}"


def _rules(node: Schema) -> list[str]:
    """The sentences of CEL rules: the object's, and those of fields that are no objects."""
    plain = (child for child in node["properties"].values() if "properties" not in child)
    owners = [node, *plain]
    messages = [
        rule["message"] for owner in owners for rule in owner.get("x-kubernetes-validations", ())
    ]
    fixed = [message.split()[0] for message in messages if "cannot be changed" in message]
    others = [m.translate(_MARKDOWN) for m in messages if "cannot be changed" not in m]
    if fixed:
        names = ", ".join(fixed)
        others.insert(0, f"These cannot be changed; create a new {KIND}: {names}")
    return ["", *(f"- {message}." for message in others)] if others else []


def _code(text: str) -> str:
    if "|" not in text:
        return f"`{text}`"
    # A pipe would end the table's cell, in a code span too.
    escaped = "".join(_CODE.get(character, character) for character in html.escape(text, False))
    return f"<code>{escaped}</code>"
