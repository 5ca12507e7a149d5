"""A phase, and why."""

from dataclasses import dataclass

from transcription_api.status import Phase
from transcription_contract.termination import Failure


@dataclass(frozen=True)
class PhaseStatus:
    """``reason``: one word of metrics and Events. ``message``: a sentence for users."""

    phase: Phase
    reason: str
    message: str

    @classmethod
    def of(cls, phase: Phase, failure: Failure) -> "PhaseStatus":
        """A phase for the reason, and with the message, of a failure."""
        return cls(phase, failure.reason, failure.message)
