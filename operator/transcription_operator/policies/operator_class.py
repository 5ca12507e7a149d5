"""spec.operatorClassName: which of a cluster's operators runs a job; the others ignore it."""

from typing import Any


def is_ours(found: dict[str, Any], class_name: str) -> bool:
    """Whether a TranscriptionJob, as the API server returns it, names an operator's class; that is
    empty for the jobs that name none."""
    return (found.get("spec", {}).get("operatorClassName") or "") == class_name
