"""The annotation transcription.dev/retry: a failed job is tried again, from where it ended."""

from transcription_api.status import Phase
from transcription_operator.policies.actions import DeleteJob
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.phase_status import PhaseStatus

PHASE = PhaseStatus(Phase.PENDING, "Retrying", "Trying again, from where the last attempt ended")


def actions(seen: Observation) -> list[DeleteJob]:
    """Delete the last attempt's Job."""
    return [DeleteJob(seen.job.name, seen.job.uid)] if seen.job else []
