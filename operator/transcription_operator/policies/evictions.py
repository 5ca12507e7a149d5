"""Pods that the kubelet evicts because they use more local storage than their limit.

The next pod would use as much. Such an eviction does not always count against the limit on retries
(a worker that stops in time looks like one that was deleted), so they are counted here. The names
are kept in the status, since evicted pods may be removed at any time.
"""

from transcription_api.status import MAX_EVICTED_PODS, Phase
from transcription_api.transcriptionjob import TranscriptionJob
from transcription_contract.termination import Failure
from transcription_operator.policies.observation import Observation, ObservedPod
from transcription_operator.policies.phase_status import PhaseStatus

_EVICTED = "Evicted"
"""The kubelet's word."""


def failure(pod: ObservedPod) -> Failure | None:
    """Why it was evicted, if that was for what it used itself. When the node runs out of something,
    the pod has a condition DisruptionTarget."""
    if pod.phase != "Failed" or pod.reason != _EVICTED or pod.disruption is not None:
        return None
    message = (pod.message or "it exceeded a limit on local storage").strip().rstrip(".")
    return Failure(reason=_EVICTED, message=f"pod {pod.name}: {message}; {_advice(message)}")


def names(owner: TranscriptionJob, seen: Observation) -> tuple[str, ...]:
    """The pods of this attempt that were evicted so."""
    before = owner.status.evicted_pods or ()
    found = {pod.name for pod in seen.pods if failure(pod)}
    return (*before, *sorted(found.difference(before)))[:MAX_EVICTED_PODS]


def exceeded(owner: TranscriptionJob, seen: Observation) -> PhaseStatus | None:
    """Failed, if that has happened too often."""
    evicted = names(owner, seen)
    if len(evicted) < MAX_EVICTED_PODS:
        return None
    found = [each.message for pod in seen.pods if (each := failure(pod))]
    why = found[-1] if found else f"pods {', '.join(evicted)}"
    return PhaseStatus(Phase.FAILED, _EVICTED, f"{len(evicted)} pods were evicted; {why}")


def _advice(message: str) -> str:
    if "emptydir" in message.lower():
        return "raise spec.limits in a new job, or set models.cache for the volume models"
    return (
        "raise limits.ephemeral-storage in spec.resources of a new job, in the node pool, or in "
        "the namespace's LimitRange"
    )
