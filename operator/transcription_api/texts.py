"""Texts and times as they stand in a status."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field


def wire_time(value: datetime) -> str:
    """RFC 3339 in UTC and whole seconds, as Kubernetes' own metav1.Time."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that could steer a terminal, in text from logs, file names and servers."""


RETRY_LENGTH = 256
"""Number of characters of the annotation that are compared."""


def clip(text: str, length: int) -> str:
    """The text without control characters, cut to the length that the schema allows."""
    return _CONTROL.sub("\ufffd", text[:length])


def _clipped(length: int) -> BeforeValidator:
    return BeforeValidator(lambda text: clip(text, length) if isinstance(text, str) else text)


Reason = Annotated[str, _clipped(64), Field(max_length=64)]
Message = Annotated[str, _clipped(4096), Field(max_length=4096)]
Item = Annotated[str, _clipped(1100), Field(max_length=1100)]
"""A recording's URI: a key of at most 1024 bytes, and a bucket."""
ItemMessage = Annotated[str, _clipped(1024), Field(max_length=1024)]
