"""The whole resource, as the API server stores it."""

from datetime import datetime
from typing import Any

from pydantic import Field

from transcription_api import API_VERSION, KIND, RETRY_ANNOTATION
from transcription_api.base import ApiModel
from transcription_api.spec import Spec
from transcription_api.status import Phase, Status
from transcription_api.texts import RETRY_LENGTH, clip


class Metadata(ApiModel):
    """The part of ObjectMeta that the operator needs."""

    name: str
    namespace: str
    uid: str
    generation: int = 1
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default={})
    annotations: dict[str, str] = Field(default={})


class Resource(ApiModel):
    """A TranscriptionJob without its spec."""

    metadata: Metadata
    status: Status = Field(default=Status())

    @property
    def key(self) -> str:
        """namespace/name."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def is_finished(self) -> bool:
        """Whether it has succeeded or failed for good."""
        return self.status.is_finished

    @property
    def attempt(self) -> int:
        """1, and one more for each retry."""
        return self.status.attempt or 1

    def reference(self) -> dict[str, Any]:
        """An ObjectReference to it, for Events."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": self.metadata.name,
            "namespace": self.metadata.namespace,
            "uid": self.metadata.uid,
            "resourceVersion": self.metadata.resource_version,
        }


class TranscriptionJob(Resource):
    """Batch transcription of recordings in an object store."""

    spec: Spec

    @property
    def retry_asked(self) -> str | None:
        """The annotation's value, when a failed job is to be tried again."""
        asked = self.metadata.annotations.get(RETRY_ANNOTATION)
        if self.status.phase is not Phase.FAILED or not asked:
            return None
        value = clip(asked, RETRY_LENGTH)
        return value if value != self.status.retry else None

    def owner_reference(self) -> dict[str, Any]:
        """What makes the garbage collector remove a child with its parent.

        blockOwnerDeletion stays false: true needs the right to update the parent's finalizers
        on clusters that enforce it, and nothing here waits for a foreground deletion.
        """
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": self.metadata.name,
            "uid": self.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
