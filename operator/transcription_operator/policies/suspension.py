"""spec.suspend: no worker runs, and what is done is kept."""

from transcription_api.status import Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_operator.policies.observation import Observation
from transcription_operator.policies.phase_status import PhaseStatus
from transcription_operator.policies.wording import plural


def is_held_back(owner: TranscriptionJob, seen: Observation) -> bool:
    """Whether no worker may run: suspended by the user, or queued by the operator."""
    return owner.spec.suspend or seen.queued is not None


def phase(seen: Observation) -> PhaseStatus:
    """Suspended, with the pods that are still stopping."""
    stopping = sum(1 for pod in seen.pods if pod.phase in ("Pending", "Running"))
    still = f"; {plural(stopping, 'pod')} still stopping" if stopping else ""
    return PhaseStatus(
        Phase.SUSPENDED,
        "Suspended",
        "Suspended: set spec.suspend to false (kubectl transcribe resume) to resume from the last "
        f"checkpoint{still}",
    )
