"""The keys of objects in caches and queues: namespace/name."""

from typing import Any


def key_of(found: dict[str, Any]) -> str:
    """An object's key; /name for one without a namespace."""
    metadata = found["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"


def namespace_of(key: str) -> str:
    """The namespace of a key."""
    return key.partition("/")[0]
