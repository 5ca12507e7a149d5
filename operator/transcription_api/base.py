"""The base of the resource's models."""

from typing import Any

from pydantic import ConfigDict
from pydantic.config import JsonDict

from transcription_contract.base import Model

URI_LENGTH = 1024
BUCKET = "s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""The beginning of an S3 URI, as a pattern."""


class ApiModel(Model):
    """As the contract's, but it skips fields that a newer operator has added."""

    model_config = ConfigDict(extra="ignore")

    def to_wire(self) -> dict[str, Any]:
        """camelCase JSON values, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def rule(expression: str, message: str) -> JsonDict:
    """One CEL validation of the CRD, with the sentence that the user reads."""
    return {"rule": expression, "message": message}


def immutable(field: str) -> JsonDict:
    """A rule for the parent of an optional field: it can be neither set, changed nor removed.

    A transition rule on the field itself is skipped when the field comes or goes, since it needs
    both values
    (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#transition-rules).
    """
    expression = (
        f"has(self.{field}) == has(oldSelf.{field}) && "
        f"(!has(self.{field}) || self.{field} == oldSelf.{field})"
    )
    return rule(expression, f"{field} cannot be changed: create a new TranscriptionJob")
