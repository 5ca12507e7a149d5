"""A phase, and why."""

from dataclasses import dataclass

from transcription_api.status import Phase


@dataclass(frozen=True)
class PhaseStatus:
    """``reason``: one word of metrics and Events. ``message``: a sentence for users."""

    phase: Phase
    reason: str
    message: str
