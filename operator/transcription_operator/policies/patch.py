"""JSON merge patches (RFC 7396). Pure."""

from typing import Any

Json = dict[str, Any]


def merge_patch(before: Json, after: Json) -> Json:
    """The smallest patch that turns ``before`` into ``after``; empty when they are equal.

    Lists are values: one that differs is replaced whole.
    """
    patch: Json = {key: None for key in before.keys() - after.keys()}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := merge_patch(old, value):
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = value
    return patch
