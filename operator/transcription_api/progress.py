"""status.progress."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field, computed_field, field_serializer

from transcription_api.base import ApiModel
from transcription_api.texts import wire_time


def _with_shown(schema: dict[str, Any]) -> None:
    """Pydantic's schema of what it reads leaves out what it computes."""
    description = "Progress for people, such as 42%. Programs read percent."
    schema["properties"]["shown"] = {"type": "string", "description": description}


class Progress(ApiModel):
    """Progress of the job."""

    model_config = ConfigDict(json_schema_extra=_with_shown)

    percent: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Progress from 0 to 100; 100 only when the job has succeeded. Goes down when "
        "totalSeconds turns out to be larger.",
    )
    processed_seconds: int = Field(default=0, description="Seconds of audio that are transcribed.")
    total_seconds: int = Field(
        default=0,
        description="Seconds of audio in total, estimated while recordings arrive; 0 until known.",
    )
    items: int = Field(default=0, description="Number of recordings; 0 until listed.")
    items_done: int = Field(
        default=0, description="Number of recordings that are delivered or have failed."
    )
    items_failed: int = Field(default=0, description="Number of recordings that have failed.")
    estimated_remaining_seconds: int | None = Field(
        default=None, description="Estimated seconds until the end at the current speed."
    )
    speed: str | None = Field(
        default=None,
        description="Seconds of audio per second of time, over all workers, such as 38.2x.",
        max_length=32,
    )
    last_update_time: datetime | None = Field(
        default=None, description="Time at which the workers reported these numbers."
    )

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def shown(self) -> str:
        """``percent`` for the column of kubectl get: a column shows a field as it is."""
        return f"{self.percent}%"

    @field_serializer("last_update_time")
    def _time(self, value: datetime | None) -> str | None:
        return wire_time(value) if value else None
