"""Nodes whose processors cannot run the transcriber's image: the job fails before all of its
retries are used up on them."""

from transcription_api.status import Phase
from transcription_contract.exit_codes import ENDINGS
from transcription_contract.termination import Failure
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.phase_status import PhaseStatus

_WORDS = ("exec format error", "no match for platform in manifest")
"""The kernel's of a program for other processors, and containerd's of an image without one."""

_MOST_PODS = 2
"""A second pod may get a node of the right architecture."""

_SHOWN_CHARACTERS = 200


def failure(pod: ObservedPod) -> Failure | None:
    """Why its node cannot run the transcriber; None if it can."""
    said = _said(pod)
    if not any(words in said for words in _WORDS):
        return None
    where = f" of node {pod.node}" if pod.node else ""
    return Failure(
        reason="ArchitectureMismatch",
        message=f"pod {pod.name}: the transcriber's image is not for the processor{where} "
        f"({said.strip()[-_SHOWN_CHARACTERS:]}): set kubernetes.io/arch in nodeSelector of the "
        "node pool or of spec.podTemplate, or use an image for several architectures",
    )


def mismatch(seen: Observation) -> PhaseStatus | None:
    """Failed, unless there is a worker that may still run."""
    wrong = [pod for pod in seen.pods if pod.has_ended and failure(pod)]
    if len(wrong) < _MOST_PODS or any(pod.running for pod in seen.pods):
        return None
    tried = {pod.index for pod in wrong}
    if any(not pod.has_ended and pod.index not in tried for pod in seen.pods):
        return None
    latest = failure(wrong[-1])
    return PhaseStatus.of(Phase.FAILED, latest) if latest else None


def _said(pod: ObservedPod) -> str:
    """What the runtime says; or, by FallbackToLogsOnError, the end of the log."""
    if pod.waiting:
        return pod.waiting[1]
    known = pod.exit_code in (None, 0) or pod.exit_code in ENDINGS
    return "" if known else pod.last_words or ""
