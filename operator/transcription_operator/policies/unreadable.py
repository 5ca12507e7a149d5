"""A TranscriptionJob whose spec this version of the operator cannot read.

It fails, but not for good: its Job, if it has one, is left alone, its attempt and its progress stay
in its status, and it continues when a version of the operator or a change of its spec makes it
readable.
"""

from transcription_api.reading import Unreadable
from transcription_api.status import SPEC_UNREADABLE, Phase
from transcription_operator.policies.phase_status import PhaseStatus


def phase(owner: Unreadable) -> PhaseStatus:
    """Failed, with the field and what to do."""
    return PhaseStatus(
        Phase.FAILED,
        SPEC_UNREADABLE,
        f"The operator cannot read {owner.problem}. If the CRD is newer than the operator, upgrade "
        "the operator: the job then continues. Otherwise create a job without this value",
    )
